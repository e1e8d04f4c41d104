//! Giving a payment up: nothing is paid by it any more, and what is held is let go of.

use super::{
    super::{
        domain::{
            Payment, PaymentCommand,
            payment::{Rejection as PaymentRejection, Status},
        },
        table::calls::{Call, Operation},
    },
    agreed,
    call::{try_now, written},
    record,
    state::{PaymentState, find, state},
};
use crate::{
    domain::Aggregate,
    pipeline::{App, Batch, Change, Error, Expected, Rejection, Scope, Stored, procedure::Procedure},
};
use schemas::{Uuid, contexts::Context};
use sqlx::PgConnection;

/// Gives a payment up, and says how far it is then. The same again changes nothing. Money may come nevertheless, such as of an attempt
/// of which nobody knows yet: with `gives_back` it goes back by itself, else whoever began the payment decides, by
/// [`capture`](super::capture()), [`void`] or [`refund_late`](super::refund_late()).
///
/// # Errors
/// Money has come already; the provider does not answer.
pub(crate) async fn void(app: &App, scope: &Scope, payment_id: Uuid, gives_back: bool) -> Result<PaymentState, Error> {
    let missing = || Error::from(Rejection::from(PaymentRejection::Missing));
    let payment = find(app, scope.tenant, payment_id).await?.ok_or_else(missing)?;
    for call in app.procedure(scope, &Begin { payment_id, gives_back }).await? {
        let provider = agreed::of_method(app, scope, payment.created.method).await?;
        try_now(app, scope, provider.as_ref(), &call).await?;
    }
    state(app, scope.tenant, payment_id).await?.ok_or_else(missing)
}

struct Begin {
    payment_id: Uuid,
    gives_back: bool,
}

impl Procedure for Begin {
    const CONTEXT: Context = Context::Payments;
    type Output = Vec<Call>;

    fn name(&self) -> &'static str {
        "void_payment"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Vec<Call>), Error> {
        let (id, gives_back) = (self.payment_id, self.gives_back);
        let mut payments = Payment::load(conn, scope, &[id]).await?;
        let payment = payments.state(id).ok_or_else(|| Rejection::from(PaymentRejection::Missing))?.clone();
        if payment.captured() > 0 {
            return Err(Rejection::from(PaymentRejection::Status { status: payment.status }).into());
        }
        let mut change = Change::Unchanged;
        // What is held is let go of by the provider first.
        if payment.holding().is_none() {
            let done = payments.carry_out(id, Expected::Any, |payments| {
                Ok(Payment::decide(payments.state(id), PaymentCommand::Void { gives_back })?)
            })?;
            change = done.change;
            record::write(conn, scope, payments, Batch::default()).await?;
        }
        let mut calls = Vec::new();
        for (attempt, reference) in open(&payment) {
            let operation = Operation::Void { attempt, reference, gives_up: Some(gives_back) };
            calls.push(written(conn, scope, id, operation).await?);
        }
        Ok((change, calls))
    }
}

/// Attempts by which somebody could still pay, or for which money is held.
fn open(payment: &Payment) -> Vec<(u32, String)> {
    let last_is_open = match payment.status {
        Status::Pending | Status::ActionRequired | Status::Authorized | Status::Failed => true,
        Status::Created | Status::PartlyCaptured | Status::Captured | Status::Voided | Status::Expired => false,
    };
    let is_open = |number: u32, held: i64| held > 0 || (last_is_open && number == payment.number());
    let open = payment.attempts.iter().filter(|attempt| is_open(attempt.number, attempt.held()));
    open.filter_map(|attempt| Some((attempt.number, attempt.reference.clone()?))).collect()
}
