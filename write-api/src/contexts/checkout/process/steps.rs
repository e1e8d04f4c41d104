//! How the steps of a checkout are asked of other contexts, a file for each of them.

mod cart;
mod order;
mod payment;
mod progress;
mod stock;
mod uses;

use super::{Answer, Command};
use crate::{
    contexts::checkout::{domain::Checkout, table},
    pipeline::{
        App, Error, Rejection, Scope,
        idempotency::Key,
        process::{Answered, Call},
    },
};
use schemas::{Uuid, events::checkout::Obstacle};

/// A step, and the checkout that it is of.
pub(super) struct Asked<'a> {
    pub(super) app: &'a App,
    pub(super) scope: &'a Scope,
    pub(super) key: &'a Key,
    pub(super) id: Uuid,
    pub(super) checkout: &'a Checkout,
}

/// Carries a step out.
pub(super) async fn perform(app: &App, scope: &Scope, call: &Call<'_, Command>) -> Result<Answered<Answer>, Error> {
    let id = call.process;
    let found = table::checkout(&mut *app.database.of_shop(scope.tenant).await?, scope.tenant, id).await?;
    let (_, checkout) = found.ok_or_else(|| Rejection::not_found("there is no such checkout"))?;
    let asked = Asked { app, scope, key: &call.key, id, checkout: &checkout };
    let answer = match call.command {
        Command::LockCart => cart::lock(&asked).await,
        Command::UnlockCart => cart::unlock(&asked).await,
        Command::CheckOutCart => cart::check_out(&asked).await,
        Command::ReserveUses => uses::reserve(&asked).await,
        Command::ConsumeUses => uses::consume(&asked).await,
        Command::ReleaseUses => uses::release(&asked).await,
        Command::ReserveStock { until } => stock::reserve(&asked, *until).await,
        Command::PinStock => stock::pin(&asked).await,
        Command::CommitStock => stock::commit(&asked).await,
        Command::ReleaseStock => stock::release(&asked).await,
        Command::CreateOrder => order::create(&asked).await,
        Command::ConfirmOrder => order::confirm(&asked).await,
        Command::CancelOrder { reason } => order::cancel(&asked, *reason).await,
        Command::TellOrder { payments } => order::tell(&asked, *payments).await,
        Command::CreatePayment { payment, method } => return payment::create(&asked, *payment, *method).await,
        Command::Authorise { payment, attempt } => return payment::authorise(&asked, *payment, *attempt).await,
        Command::Capture { payment } => return payment::capture(&asked, *payment).await,
        Command::Look { payment } => return payment::look(&asked, *payment).await,
        Command::VoidPayment { payment } => return payment::void(&asked, *payment).await,
        Command::Refund { payment } => return payment::refund(&asked, *payment).await,
        Command::Await { .. } | Command::Complete | Command::Abort { .. } => progress::tell(&asked, call.command).await,
    };
    answer.map(Answered::from)
}

/// What another context refuses is an answer; what went wrong there is not.
fn answered<T>(result: Result<T, Error>) -> Result<Answer, Error> {
    match result {
        Ok(_) => Ok(Answer::Done),
        Err(Error::Rejected(rejection)) if rejection.problem().status < 500 => Ok(refused(&rejection)),
        Err(error) => Err(error),
    }
}

fn refused(rejection: &Rejection) -> Answer {
    Answer::Refused(vec![obstacle(None, rejection)])
}

/// Why something is refused, by what it is about.
fn obstacle(name: Option<&str>, rejection: &Rejection) -> Obstacle {
    let problem = rejection.problem();
    let words = problem.detail.clone().unwrap_or_else(|| problem.title.clone());
    Obstacle { name: name.unwrap_or(&problem.code).to_owned(), words }
}
