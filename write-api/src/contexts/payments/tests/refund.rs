//! A refund, from its request to its end.

use super::{PAYMENT, late_refund, usd};
use crate::{
    contexts::payments::domain::{Refund, RefundCommand, refund::Rejection},
    domain::scenario::Scenario,
};
use schemas::events::{
    PaymentsEvent,
    payments::{RefundFailed, RefundRequested, RefundSubmitted, RefundSucceeded},
};

fn asked() -> RefundRequested {
    late_refund(9, usd(4_200))
}

fn submitted() -> PaymentsEvent {
    let RefundRequested { refund_id, payment_id, order_id, source, account, money, .. } = asked();
    let reference = "re_1".to_owned();
    PaymentsEvent::RefundSubmitted(RefundSubmitted {
        refund_id,
        payment_id,
        order_id,
        source,
        account,
        money,
        reference,
    })
}

fn succeeded() -> PaymentsEvent {
    let RefundRequested { refund_id, payment_id, order_id, source, account, money, .. } = asked();
    PaymentsEvent::RefundSucceeded(RefundSucceeded { refund_id, payment_id, order_id, source, account, money })
}

fn failed(was_submitted: bool) -> PaymentsEvent {
    let RefundRequested { refund_id, payment_id, order_id, source, account, money, .. } = asked();
    let reason = "lost_or_stolen_card".to_owned();
    PaymentsEvent::RefundFailed(RefundFailed {
        refund_id,
        payment_id,
        order_id,
        source,
        account,
        money,
        was_submitted,
        reason,
    })
}

fn requested() -> PaymentsEvent {
    PaymentsEvent::RefundRequested(asked())
}

#[test]
fn no_more_goes_back_than_has_come() {
    let request = |left| RefundCommand::Request { requested: asked(), left };
    Scenario::<Refund>::given([]).when(request(4_200)).then([requested()]);
    Scenario::<Refund>::given([]).when(request(4_199)).then_rejected(Rejection::TooMuch { left: 4_199 });
    Scenario::<Refund>::given([requested()]).when(request(0)).then_nothing();
    let other = RefundCommand::Request { requested: late_refund(9, usd(1)), left: 4_200 };
    Scenario::<Refund>::given([requested()]).when(other).then_rejected(Rejection::Exists);
    let nothing = RefundCommand::Request { requested: late_refund(9, usd(0)), left: 4_200 };
    Scenario::<Refund>::given([]).when(nothing).then_rejected(Rejection::Nothing);
}

#[test]
fn a_refund_goes_on_and_never_back() {
    let submit = || RefundCommand::Submit { reference: "re_1".to_owned() };
    let succeed = || RefundCommand::Succeed { reference: "re_1".to_owned() };
    let fail = || RefundCommand::Fail { reason: "lost_or_stolen_card".to_owned() };
    Scenario::<Refund>::given([requested()]).when(submit()).then([submitted()]);
    Scenario::<Refund>::given([requested()]).when(succeed()).then([submitted(), succeeded()]);
    Scenario::<Refund>::given([requested(), submitted()]).when(submit()).then_nothing();
    Scenario::<Refund>::given([requested(), submitted()]).when(succeed()).then([succeeded()]);
    let done = [requested(), submitted(), succeeded()];
    Scenario::<Refund>::given(done.clone()).when(succeed()).then_nothing();
    Scenario::<Refund>::given(done.clone()).when(submit()).then_nothing();
    Scenario::<Refund>::given([requested()]).when(fail()).then([failed(false)]);
    // Banks send money back days later.
    Scenario::<Refund>::given(done).when(fail()).then([failed(true)]);
    let over = [requested(), submitted(), failed(true)];
    Scenario::<Refund>::given(over.clone()).when(fail()).then_nothing();
    Scenario::<Refund>::given(over.clone()).when(succeed()).then_rejected(Rejection::Over);
    Scenario::<Refund>::given(over).when(submit()).then_rejected(Rejection::Over);
    Scenario::<Refund>::given([]).when(submit()).then_rejected(Rejection::Missing);
    assert_eq!(asked().payment_id, PAYMENT);
}
