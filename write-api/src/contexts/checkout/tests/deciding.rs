//! What checkouts decide.

use super::world::{quote, started};
use crate::{
    contexts::checkout::domain::{
        Checkout, CheckoutCommand, Rejection,
        price::{Accepted, changes, is_agreed},
    },
    domain::scenario::Scenario,
};
use schemas::{
    Timestamp, Uuid,
    events::{
        CheckoutEvent,
        checkout::{
            AbortReason, AbortedBy, CheckoutAbortAsked, CheckoutAborted, CheckoutAction, CheckoutAwaitingPayment,
            CheckoutCompleted, CheckoutPaymentChosen,
        },
        settings::PaymentMethod,
    },
    money::Money,
};

fn begun() -> CheckoutEvent {
    CheckoutEvent::Started(Box::new(started(PaymentMethod::Card, 4_200, false)))
}

fn waiting(attempt: u32) -> CheckoutEvent {
    CheckoutEvent::AwaitingPayment(CheckoutAwaitingPayment {
        order_id: Uuid::from_u128(7),
        payment_id: Uuid::from_u128(8),
        payment_method: PaymentMethod::Card,
        attempt,
        action: CheckoutAction::PayAgain,
        money: Money { amount: 4_200, currency: "EUR".parse().expect("a code") },
        until: Timestamp::UNIX_EPOCH,
        declined: Some("card_declined".to_owned()),
    })
}

fn completed() -> CheckoutEvent {
    CheckoutEvent::Completed(CheckoutCompleted { order_id: Uuid::from_u128(7), is_late: false })
}

fn aborted() -> CheckoutEvent {
    CheckoutEvent::Aborted(CheckoutAborted { reason: AbortReason::Deadline, obstacles: Vec::new() })
}

#[test]
fn the_same_start_again_is_the_same_checkout() {
    let start = |started| CheckoutCommand::Start(Box::new(started));
    let mine = started(PaymentMethod::Card, 4_200, false);
    Scenario::<Checkout>::given([]).when(start(mine.clone())).then([begun()]);
    Scenario::<Checkout>::given([begun()]).when(start(mine.clone())).then_nothing();
    let other = schemas::events::checkout::CheckoutStarted { cart_id: Uuid::from_u128(99), ..mine.clone() };
    Scenario::<Checkout>::given([begun()]).when(start(other)).then_rejected(Rejection::Started);
    let mut unknown = mine;
    unknown.policy.payments.retain(|terms| terms.method != PaymentMethod::Card);
    Scenario::<Checkout>::given([]).when(start(unknown.clone())).then_rejected(Rejection::Method);
    unknown.quote = quote(0, false);
    Scenario::<Checkout>::given([]).when(start(unknown.clone())).then([CheckoutEvent::Started(Box::new(unknown))]);
}

#[test]
fn a_shopper_pays_again_while_it_waits_and_attempts_are_left() {
    let pay = || CheckoutCommand::ChoosePayment(PaymentMethod::Transfer);
    let chosen = CheckoutEvent::PaymentChosen(CheckoutPaymentChosen { payment_method: PaymentMethod::Transfer });
    Scenario::<Checkout>::given([begun()]).when(pay()).then_rejected(Rejection::NotAwaiting);
    Scenario::<Checkout>::given([begun(), waiting(2)]).when(pay()).then([chosen.clone()]);
    Scenario::<Checkout>::given([begun(), waiting(3)]).when(pay()).then_rejected(Rejection::Attempts);
    Scenario::<Checkout>::given([begun(), waiting(1), chosen]).when(pay()).then_rejected(Rejection::NotAwaiting);
    Scenario::<Checkout>::given([begun(), aborted()]).when(pay()).then_rejected(Rejection::Aborted);
}

#[test]
fn it_ends_once() {
    let ask = || CheckoutCommand::AskAbort(AbortedBy::Shopper);
    let asked = CheckoutEvent::AbortAsked(CheckoutAbortAsked { by: AbortedBy::Shopper });
    Scenario::<Checkout>::given([begun()]).when(ask()).then([asked.clone()]);
    Scenario::<Checkout>::given([begun(), asked]).when(ask()).then_nothing();
    Scenario::<Checkout>::given([begun(), completed()]).when(ask()).then_rejected(Rejection::Completed);
    let complete = || CheckoutCommand::Complete(CheckoutCompleted { order_id: Uuid::from_u128(7), is_late: false });
    let abort = || CheckoutCommand::Abort(CheckoutAborted { reason: AbortReason::Deadline, obstacles: Vec::new() });
    Scenario::<Checkout>::given([begun(), aborted()]).when(complete()).then_rejected(Rejection::Aborted);
    Scenario::<Checkout>::given([begun(), completed()]).when(abort()).then_rejected(Rejection::Completed);
    Scenario::<Checkout>::given([begun(), completed()]).when(complete()).then_nothing();
    Scenario::<Checkout>::given([begun(), aborted()]).when(abort()).then_nothing();
}

#[test]
fn a_price_is_agreed_on_if_it_is_the_same_or_lower() {
    let accepted = |total, digest: &str| Accepted { total, digest: digest.to_owned() };
    let now = quote(1_000, false);
    assert!(is_agreed(&accepted(1_000, "d1"), &now) && is_agreed(&accepted(1_100, "other"), &now));
    assert!(is_agreed(&accepted(900, "d1"), &now), "the digest says that it is the same offer");
    assert!(!is_agreed(&accepted(999, "other"), &now));
    assert!(changes(Some(&now), &now).is_empty());
}
