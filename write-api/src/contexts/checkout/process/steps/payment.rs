//! Somebody is to pay; the provider is asked; what was held or taken goes back.

use super::{Answer, Asked, refused};
use crate::{
    contexts::{
        checkout::process::{Paying, order_id, payment_id},
        payments::port::{self, Authorise, PaymentState},
    },
    pipeline::{Error, process::Answered},
};
use schemas::{
    events::{checkout::CheckoutAction, settings::PaymentMethod},
    money::Money,
    order::OrderPayment,
};

type Asking = Result<Answered<Answer>, Error>;

/// How a payment stands, and up to which version that is known.
fn stands(state: &PaymentState) -> Answered<Answer> {
    let failed = |reason: &str| Paying::Failed { reason: reason.to_owned() };
    let paying = match state.status.as_str() {
        "created" => Paying::Created,
        "action_required" if state.redirects() => Paying::Action { action: CheckoutAction::Redirect },
        "action_required" => Paying::Action { action: CheckoutAction::Confirm },
        "authorized" => Paying::Authorized,
        "partly_captured" | "captured" if state.captured < state.money.amount => Paying::Partly,
        "partly_captured" | "captured" => Paying::Captured,
        "failed" => failed(state.failure.as_deref().unwrap_or("declined")),
        "expired" => failed("expired"),
        "voided" => Paying::Voided,
        // Also of what a newer release knows: it is waited for.
        _ => Paying::Pending,
    };
    Answered { answer: Answer::Payment(paying), seen: vec![(state.payment_id, state.version)] }
}

/// How a payment stands now, if it is there.
async fn now(asked: &Asked<'_>, payment: u32) -> Result<Option<Answered<Answer>>, Error> {
    let state = port::state(asked.app, asked.scope.tenant, payment_id(asked.id, payment)).await?;
    Ok(state.as_ref().map(stands))
}

/// Somebody is to pay in this way.
pub(super) async fn create(asked: &Asked<'_>, payment: u32, method: PaymentMethod) -> Asking {
    let quote = &asked.checkout.started.quote;
    let order = port::Order {
        payment_id: payment_id(asked.id, payment),
        order_id: order_id(asked.id),
        checkout_id: Some(asked.id),
        method,
        money: Money { amount: quote.totals.total, currency: quote.currency },
    };
    match port::create(asked.app, asked.scope, order).await {
        Ok(_) => Ok(now(asked, payment).await?.unwrap_or_else(|| Answer::Payment(Paying::Created).into())),
        // The shop has no such account, or the provider takes no such sum: another method may do.
        Err(Error::Rejected(rejection)) if rejection.problem().status < 500 => Ok(refused(&rejection).into()),
        Err(error) => Err(error),
    }
}

/// Asks the provider for the money.
pub(super) async fn authorise(asked: &Asked<'_>, payment: u32, attempt: u32) -> Asking {
    let authorise = Authorise { payment_id: payment_id(asked.id, payment), attempt, token: None };
    match port::authorise(asked.app, asked.scope, &authorise).await {
        Ok(state) => Ok(stands(&state)),
        // There can be no such attempt: what is known of the payment says why.
        Err(Error::Rejected(rejection)) if rejection.problem().status < 500 => {
            Ok(now(asked, payment).await?.unwrap_or_else(|| refused(&rejection).into()))
        }
        Err(error) => Err(error),
    }
}

/// Looks up how much has come.
pub(super) async fn look(asked: &Asked<'_>, payment: u32) -> Asking {
    Ok(now(asked, payment).await?.unwrap_or_else(|| Answer::Done.into()))
}

/// Takes the money that is held.
pub(super) async fn capture(asked: &Asked<'_>, payment: u32) -> Asking {
    let amount = asked.checkout.started.quote.totals.total;
    let captured = port::capture(asked.app, asked.scope, payment_id(asked.id, payment), amount).await;
    settled(asked, payment, captured).await
}

/// Nothing is paid by it any more. Money that comes nevertheless is let go of when it is told of.
pub(super) async fn void(asked: &Asked<'_>, payment: u32) -> Asking {
    let voided = port::void(asked.app, asked.scope, payment_id(asked.id, payment), false).await;
    settled(asked, payment, voided).await
}

/// What came of it; where that is refused, how the payment stands says why.
async fn settled(asked: &Asked<'_>, payment: u32, result: Result<PaymentState, Error>) -> Asking {
    match result {
        Ok(state) => Ok(stands(&state)),
        Err(Error::Rejected(rejection)) if rejection.problem().status < 500 => {
            // Without a payment there is nothing to end.
            Ok(now(asked, payment).await?.unwrap_or_else(|| Answer::Payment(Paying::Voided).into()))
        }
        Err(error) => Err(error),
    }
}

/// Sends back what has come. What stands in the way of that is for staff to look at.
pub(super) async fn refund(asked: &Asked<'_>, payment: u32) -> Asking {
    port::refund_late(asked.app, asked.scope, payment_id(asked.id, payment)).await?;
    Ok(Answer::Payment(Paying::Refunded).into())
}

/// How far the order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) payment: OrderPayment,
    pub(super) paid: i64,
    pub(super) refunded: i64,
}

/// How far the order is paid by so many payments.
pub(super) async fn standing(asked: &Asked<'_>, payments: u32) -> Result<Standing, Error> {
    let (mut paid, mut refunded, mut held, mut is_open) = (0_i64, 0_i64, 0_i64, false);
    for number in 1..=payments {
        let found = port::state(asked.app, asked.scope.tenant, payment_id(asked.id, number)).await?;
        let Some(state) = found else { continue };
        paid = paid.saturating_add(state.captured);
        refunded = refunded.saturating_add(state.refunded.min(state.captured));
        held = held.saturating_add(state.held);
        is_open |= matches!(state.status.as_str(), "created" | "pending" | "action_required");
    }
    let total = asked.checkout.started.quote.totals.total;
    Ok(Standing { payment: axis(total, paid, refunded, held, is_open), paid, refunded })
}

/// The word for it.
fn axis(total: i64, paid: i64, refunded: i64, held: i64, is_open: bool) -> OrderPayment {
    match (paid, refunded) {
        (0, _) if total == 0 => OrderPayment::Paid,
        (0, _) if held > 0 => OrderPayment::Authorized,
        (0, _) if is_open => OrderPayment::Pending,
        (0, _) => OrderPayment::Unpaid,
        (paid, refunded) if refunded >= paid => OrderPayment::Refunded,
        (_, refunded) if refunded > 0 => OrderPayment::PartlyRefunded,
        (paid, _) if paid < total => OrderPayment::PartlyPaid,
        (paid, _) if paid > total => OrderPayment::Overpaid,
        _ => OrderPayment::Paid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_paid_as_far_as_its_payments_say() {
        assert_eq!(axis(0, 0, 0, 0, false), OrderPayment::Paid);
        assert_eq!(axis(10, 0, 0, 10, false), OrderPayment::Authorized);
        assert_eq!(axis(10, 0, 0, 0, true), OrderPayment::Pending);
        assert_eq!(axis(10, 0, 0, 0, false), OrderPayment::Unpaid);
        assert_eq!(axis(10, 4, 0, 0, false), OrderPayment::PartlyPaid);
        assert_eq!(axis(10, 10, 0, 0, false), OrderPayment::Paid);
        assert_eq!(axis(10, 12, 0, 0, false), OrderPayment::Overpaid);
        assert_eq!(axis(10, 10, 4, 0, false), OrderPayment::PartlyRefunded);
        assert_eq!(axis(10, 10, 10, 0, false), OrderPayment::Refunded);
    }
}
