//! The states of a checkout, and the steps of its process.

mod steps;

use super::world::started;
use crate::{
    contexts::checkout::{
        domain::{Checkout, CheckoutCommand, Phase},
        process::CheckoutProcess,
    },
    domain::diagram::{Diagram, Exploration},
    pipeline::process::Process,
};
use schemas::{
    Timestamp, Uuid,
    events::{
        checkout::{
            AbortReason, AbortedBy, CheckoutAborted, CheckoutAction, CheckoutAwaitingPayment, CheckoutCompleted,
            CheckoutParked, CheckoutResumed, Resumption,
        },
        settings::PaymentMethod,
    },
    money::{Currency, Money},
};

pub(in crate::contexts) fn all() -> Vec<Diagram> {
    let checkout = Exploration::<Checkout> {
        title: "Checkout",
        given: vec![],
        commands: commands(),
        name: |checkout| {
            Some(match checkout.phase {
                Phase::Open => "open",
                Phase::AwaitingPayment { .. } => "awaiting_payment",
                Phase::Completed => "completed",
                Phase::Aborted { .. } => "aborted",
            })
        },
        without: &[],
    };
    let read: Vec<&str> = CheckoutProcess::READS.iter().map(|context| context.name()).collect();
    let [onwards, back] = steps::diagrams();
    vec![
        checkout.diagram(),
        onwards.with_note(format!(
            "What is asked of other contexts one after the other, and what comes of it. `waits` is no step: nothing is under way, and \
             the process goes on when it is told of an event (of {}) or that a time has come. It may be given up while a step is \
             under way, too.",
            read.join(", ")
        )),
        back.with_note("Whatever is held goes back, once the step has been answered that was under way."),
    ]
}

fn commands() -> Vec<CheckoutCommand> {
    let (order_id, payment_id) = (Uuid::from_u128(7), Uuid::from_u128(8));
    let resumed =
        CheckoutResumed { how: Resumption::Retry, step: None, reason: "the provider is well again".to_owned() };
    vec![
        CheckoutCommand::Start(Box::new(started(PaymentMethod::Card, 4_200, false))),
        CheckoutCommand::ChoosePayment(PaymentMethod::Transfer),
        CheckoutCommand::AskAbort(AbortedBy::Shopper),
        CheckoutCommand::Await(CheckoutAwaitingPayment {
            order_id,
            payment_id,
            payment_method: PaymentMethod::Card,
            attempt: 1,
            action: CheckoutAction::PayAgain,
            money: Money { amount: 4_200, currency: Currency::USD },
            until: Timestamp::UNIX_EPOCH,
            declined: Some("card_declined".to_owned()),
        }),
        CheckoutCommand::Complete(CheckoutCompleted { order_id, is_late: false }),
        CheckoutCommand::Abort(CheckoutAborted { reason: AbortReason::Deadline, obstacles: Vec::new() }),
        CheckoutCommand::Park(CheckoutParked { step: None, reason: "the provider is ill".to_owned() }),
        CheckoutCommand::Resume(resumed),
    ]
}
