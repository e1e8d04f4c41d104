//! Having a provider hold the money: an attempt, and another one only once that has failed.

use super::{
    super::{
        domain::{
            Payment, PaymentCommand,
            payment::{Rejection as PaymentRejection, Status},
        },
        table::calls::{self, Call, Operation},
    },
    agreed,
    call::{Asked, resolve, try_now, written},
    late::settle_late,
    record,
    state::{PaymentState, find, state},
};
use crate::{
    domain::Aggregate,
    pipeline::{App, Batch, Change, Error, Expected, Rejection, Scope, Stored, procedure::Procedure},
    providers::Provider,
};
use schemas::{
    Uuid,
    contexts::Context,
    problem::{Code, Problem},
};
use sqlx::PgConnection;
use std::fmt;

/// An attempt to make, or to go on with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Authorise {
    pub(crate) payment_id: Uuid,
    /// Its number: that of the last attempt, to go on with it, or the next.
    pub(crate) attempt: u32,
    /// What is paid with: a token of the provider's page, never a card. Without one, the shopper says it there.
    pub(crate) token: Option<String>,
}

/// What is paid with stands in no log.
impl fmt::Debug for Authorise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorise").field("payment_id", &self.payment_id).field("attempt", &self.attempt).finish()
    }
}

/// Makes an attempt, and says how far the payment is then. What came of it may not be known yet: then it is pending, and the same
/// again goes on with the same attempt.
///
/// # Errors
/// There can be no such attempt; the provider does not answer, or refuses.
pub(crate) async fn authorise(app: &App, scope: &Scope, asked: &Authorise) -> Result<PaymentState, Error> {
    let (id, attempt) = (asked.payment_id, asked.attempt);
    let missing = || Error::from(Rejection::from(PaymentRejection::Missing));
    let payment = find(app, scope.tenant, id).await?.ok_or_else(missing)?;
    if !payment.is_by_provider() {
        return Err(Rejection::from(PaymentRejection::Method).into());
    }
    let provider = agreed::of_method(app, scope, payment.created.method).await?;
    if attempt > payment.number() {
        end_last(app, scope, provider.as_ref(), id).await?;
    }
    for call in app.procedure(scope, &Begin { payment_id: id, attempt }).await? {
        if try_now(app, scope, provider.as_ref(), &call).await? != Asked::Settled {
            return state(app, scope.tenant, id).await?.ok_or_else(missing);
        }
    }
    if let Some(token) = &asked.token {
        let confirm = Confirm { payment_id: id, attempt, token: token.clone() };
        if let Some(call) = app.procedure(scope, &confirm).await? {
            try_now(app, scope, provider.as_ref(), &call).await?;
        }
    }
    settle_late(app, scope, id).await?;
    state(app, scope.tenant, id).await?.ok_or_else(missing)
}

/// Nobody can pay by an attempt that has failed once another one is made. Where the answer to ending it is lost, it is looked up: the
/// provider answers the same key with the same failure for as long as it knows it.
async fn end_last(app: &App, scope: &Scope, provider: &dyn Provider, payment_id: Uuid) -> Result<(), Error> {
    let Some(call) = app.procedure(scope, &EndLast { payment_id }).await? else { return Ok(()) };
    let asked = match try_now(app, scope, provider, &call).await? {
        Asked::Unknown(_) => resolve(app, scope, provider, &call).await?,
        Asked::Settled => Asked::Settled,
    };
    match asked {
        Asked::Settled => Ok(()),
        Asked::Unknown(_) => {
            let detail = "what became of the attempt before is not known yet; try again in a moment";
            Err(Rejection::of(Problem::new(Code::Unavailable).detail(detail)).into())
        }
    }
}

struct EndLast {
    payment_id: Uuid,
}

impl Procedure for EndLast {
    const CONTEXT: Context = Context::Payments;
    type Output = Option<Call>;

    fn name(&self) -> &'static str {
        "end_payment_attempt"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Option<Call>), Error> {
        let id = self.payment_id;
        let payments = Payment::load(conn, scope, &[id]).await?;
        let failed = payments.state(id).filter(|payment| payment.status == Status::Failed);
        let Some((attempt, reference)) = failed.and_then(|payment| {
            let last = payment.current()?;
            Some((last.number, last.reference.clone()?))
        }) else {
            return Ok((Change::Unchanged, None));
        };
        let operation = Operation::Void { attempt, reference, gives_up: None };
        Ok((Change::Unchanged, Some(written(conn, scope, id, operation).await?)))
    }
}

struct Begin {
    payment_id: Uuid,
    attempt: u32,
}

impl Procedure for Begin {
    const CONTEXT: Context = Context::Payments;
    type Output = Vec<Call>;

    fn name(&self) -> &'static str {
        "begin_payment_attempt"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Vec<Call>), Error> {
        let (id, attempt) = (self.payment_id, self.attempt);
        let mut payments = Payment::load(conn, scope, &[id]).await?;
        let done = payments.carry_out(id, Expected::Any, |payments| {
            Ok(Payment::decide(payments.state(id), PaymentCommand::Begin { attempt })?)
        })?;
        let is_new = payments.events().len() > 0;
        record::write(conn, scope, payments, Batch::default()).await?;
        if is_new {
            calls::write(&mut *conn, scope, id, &Operation::Create { attempt }).await?;
        }
        // Of an attempt that is gone on with: what is not known yet is asked for again.
        let mut open = calls::of_payment(conn, scope.tenant, id).await?;
        open.retain(|call| match &call.operation {
            Operation::Create { attempt: of } | Operation::Authorise { attempt: of, .. } => *of == attempt,
            Operation::Capture { .. } | Operation::Void { .. } | Operation::Refund { .. } => false,
        });
        Ok((done.change, open))
    }
}

struct Confirm {
    payment_id: Uuid,
    attempt: u32,
    token: String,
}

impl Procedure for Confirm {
    const CONTEXT: Context = Context::Payments;
    type Output = Option<Call>;

    fn name(&self) -> &'static str {
        "confirm_payment_attempt"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Option<Call>), Error> {
        let id = self.payment_id;
        let payments = Payment::load(conn, scope, &[id]).await?;
        let waiting = payments.state(id).filter(|payment| payment.status == Status::ActionRequired);
        let reference = waiting
            .filter(|payment| payment.number() == self.attempt)
            .and_then(|payment| payment.current()?.reference.clone());
        let Some(reference) = reference else { return Ok((Change::Unchanged, None)) };
        let operation = Operation::Authorise { attempt: self.attempt, reference, token: self.token.clone() };
        Ok((Change::Unchanged, Some(written(conn, scope, id, operation).await?)))
    }
}
