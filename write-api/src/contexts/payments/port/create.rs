//! Somebody is to pay.

use super::{
    super::domain::{Payment, PaymentCommand, payment::NewPayment},
    agreed, record,
};
use crate::{
    domain::Aggregate,
    pipeline::{App, Batch, Change, Done, Error, Expected, Rejection, Scope, Stored, procedure::Procedure},
};
use schemas::{Uuid, contexts::Context, events::settings::PaymentMethod, money::Money};
use sqlx::PgConnection;

/// What is to be paid, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) payment_id: Uuid,
    pub(crate) order_id: Uuid,
    pub(crate) checkout_id: Option<Uuid>,
    pub(crate) method: PaymentMethod,
    pub(crate) money: Money,
}

/// Creates a payment; the same again changes nothing. Where nothing is to be paid there is none: no provider is asked, and nothing
/// is posted.
///
/// # Errors
/// The shop has no provider for the method, or that takes no such sum; the payment was created before, and is another.
pub(crate) async fn create(app: &App, scope: &Scope, order: Order) -> Result<Option<Done>, Error> {
    let Order { payment_id, order_id, checkout_id, method, money } = order;
    if money.amount == 0 {
        return Ok(None);
    }
    let provider = agreed::of_method(app, scope, method).await?;
    provider.check(money).map_err(|detail| Rejection::invalid_at("/amount", detail))?;
    let account = agreed::account_of(method).to_owned();
    let new = NewPayment { payment_id, order_id, checkout_id, method, account, money };
    app.procedure(scope, &Create { new }).await.map(Some)
}

struct Create {
    new: NewPayment,
}

impl Procedure for Create {
    const CONTEXT: Context = Context::Payments;
    type Output = Done;

    fn name(&self) -> &'static str {
        "create_payment"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Done), Error> {
        let (id, new) = (self.new.payment_id, self.new.clone());
        let mut payments = Payment::load(conn, scope, &[id]).await?;
        let done = payments.carry_out(id, Expected::Any, |payments| {
            Ok(Payment::decide(payments.state(id), PaymentCommand::Create(new))?)
        })?;
        record::write(conn, scope, payments, Batch::default()).await?;
        Ok((done.change, done))
    }
}
