//! What becomes of the checkout is told by its own events.

use super::{Answer, Asked, Command};
use crate::{
    contexts::checkout::{
        domain::CheckoutCommand,
        port::act,
        process::{order_id, payment_id},
    },
    pipeline::{Error, Rejection},
};
use schemas::{
    events::checkout::{CheckoutAborted, CheckoutAwaitingPayment, CheckoutCompleted},
    money::Money,
};

/// Has the checkout say how far it is: by an event of its own.
pub(super) async fn tell(asked: &Asked<'_>, command: &Command) -> Result<Answer, Error> {
    let (name, told) = match command {
        Command::Await { payment, method, attempt, action, until, declined } => {
            let quote = &asked.checkout.started.quote;
            let awaiting = CheckoutAwaitingPayment {
                order_id: order_id(asked.id),
                payment_id: payment_id(asked.id, *payment),
                payment_method: *method,
                attempt: *attempt,
                action: *action,
                money: Money { amount: quote.totals.total, currency: quote.currency },
                until: *until,
                declined: declined.clone(),
            };
            ("await_payment", CheckoutCommand::Await(awaiting))
        }
        Command::Complete => {
            let completed = CheckoutCompleted { order_id: order_id(asked.id), is_late: false };
            ("complete_checkout", CheckoutCommand::Complete(completed))
        }
        Command::Abort { reason, obstacles } => {
            let aborted = CheckoutAborted { reason: *reason, obstacles: obstacles.clone() };
            ("end_checkout", CheckoutCommand::Abort(aborted))
        }
        other => return Err(Rejection::not_found(format!("{other:?} is told by another context")).into()),
    };
    act::act(asked.app, asked.scope, Some(asked.key), asked.id, name, told).await?;
    Ok(Answer::Done)
}
