//! Taking what is held, or a part of it.

use super::{
    super::{
        domain::{
            Payment,
            payment::{Rejection as PaymentRejection, policy},
        },
        table::calls::{Call, Operation},
    },
    agreed,
    call::{try_now, written},
    state::{PaymentState, find, state},
};
use crate::pipeline::{App, Change, Error, Rejection, Scope, Stored, procedure::Procedure};
use schemas::{Uuid, contexts::Context};
use sqlx::PgConnection;

/// Captures so many minor units of what is held, and says how far the payment is then. The rest is let go of where the provider
/// captures once. The same again changes nothing.
///
/// # Errors
/// Nothing is held, or less; another amount was captured; the provider does not answer, or refuses.
pub(crate) async fn capture(app: &App, scope: &Scope, payment_id: Uuid, amount: i64) -> Result<PaymentState, Error> {
    let missing = || Error::from(Rejection::from(PaymentRejection::Missing));
    let payment = find(app, scope.tenant, payment_id).await?.ok_or_else(missing)?;
    if let Some(call) = app.procedure(scope, &Begin { payment_id, amount }).await? {
        let provider = agreed::of_method(app, scope, payment.created.method).await?;
        provider.check(payment.money(amount)).map_err(|detail| Rejection::invalid_at("/amount", detail))?;
        try_now(app, scope, provider.as_ref(), &call).await?;
    }
    state(app, scope.tenant, payment_id).await?.ok_or_else(missing)
}

struct Begin {
    payment_id: Uuid,
    amount: i64,
}

impl Procedure for Begin {
    const CONTEXT: Context = Context::Payments;
    type Output = Option<Call>;

    fn name(&self) -> &'static str {
        "capture_payment"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Option<Call>), Error> {
        let (id, amount) = (self.payment_id, self.amount);
        let payments = Payment::load(conn, scope, &[id]).await?;
        let payment = payments.state(id).ok_or_else(|| Rejection::from(PaymentRejection::Missing))?;
        let held = policy::no_more_is_captured_than_is_held(payment, amount).map_err(Rejection::from)?;
        let Some((attempt, reference)) = held.and_then(|held| Some((held.number, held.reference.clone()?))) else {
            return Ok((Change::Unchanged, None));
        };
        let call = written(conn, scope, id, Operation::Capture { attempt, reference, amount }).await?;
        match &call.operation {
            Operation::Capture { amount: before, .. } if *before != amount => {
                Err(Rejection::from(PaymentRejection::CapturedOther { captured: *before }).into())
            }
            Operation::Capture { .. }
            | Operation::Create { .. }
            | Operation::Authorise { .. }
            | Operation::Void { .. }
            | Operation::Refund { .. } => Ok((Change::Unchanged, Some(call))),
        }
    }
}
