//! The process of a checkout: what it knows ([`state`]), what it makes of what it is told ([`react`]), what it does next
//! ([`plan`]), and how that is asked of other contexts ([`steps`]).

mod plan;
mod react;
mod state;
mod steps;

#[cfg(test)]
pub(super) use state::{Facts, Hold, Ordered, Outcome};
pub(super) use state::{Paying, State};

use super::{domain::CheckoutCommand, port::act};
use crate::pipeline::{
    App, Done, Error, Scope,
    process::{Answered, Call, Concerned, Note, Process, Step, Trigger},
};
use schemas::{
    Timestamp, Uuid,
    contexts::Context,
    events::{
        CheckoutEvent, DomainEvent, OrdersEvent,
        checkout::{AbortReason, CheckoutAction, CheckoutParked, CheckoutResumed, Obstacle, Resumption},
        settings::PaymentMethod,
    },
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

/// The process of a checkout. Its id is the checkout's.
pub(crate) struct CheckoutProcess;

/// What a checkout asks of other contexts. What was agreed on is read from the checkout itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Command {
    /// Nobody changes the cart any more.
    LockCart,
    /// Uses of promotions are kept for it.
    ReserveUses,
    /// Goods are kept for it, until then.
    ReserveStock { until: Timestamp },
    /// What is kept of goods does not end by itself: money is under way.
    PinStock,
    /// The order is there.
    CreateOrder,
    /// Somebody is to pay in this way.
    CreatePayment { payment: u32, method: PaymentMethod },
    /// The provider is asked for the money.
    Authorise { payment: u32, attempt: u32 },
    /// The shopper is told what it waits for.
    Await {
        payment: u32,
        method: PaymentMethod,
        attempt: u32,
        action: CheckoutAction,
        until: Timestamp,
        declined: Option<String>,
    },
    /// The order is certain.
    ConfirmOrder,
    /// The money is taken.
    Capture { payment: u32 },
    /// The goods belong to the order.
    CommitStock,
    /// The uses belong to the order.
    ConsumeUses,
    /// The cart has become the order.
    CheckOutCart,
    /// The order is told how far it is paid, by so many payments.
    TellOrder { payments: u32 },
    /// It has become an order.
    Complete,
    /// How much of this payment has come is looked up.
    Look { payment: u32 },
    /// Nothing is paid by this payment any more.
    VoidPayment { payment: u32 },
    /// What was taken goes back.
    Refund { payment: u32 },
    /// The order is none.
    CancelOrder { reason: AbortReason },
    /// The goods are free.
    ReleaseStock,
    /// The uses are free.
    ReleaseUses,
    /// The cart can be changed again.
    UnlockCart,
    /// No order comes of it.
    Abort { reason: AbortReason, obstacles: Vec<Obstacle> },
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is done.
    Done,
    /// It is not, for these reasons.
    Refused(Vec<Obstacle>),
    /// The payment stands so.
    Payment(Paying),
}

/// The order of a checkout.
pub(super) fn order_id(checkout: Uuid) -> Uuid {
    derived(checkout, 0xFFFF)
}

/// The payments of a checkout, from 1.
pub(super) fn payment_id(checkout: Uuid, payment: u32) -> Uuid {
    derived(checkout, payment)
}

/// An id that follows from a checkout's. It is a UUID of version 8: in it, nobody draws one at random.
fn derived(checkout: Uuid, number: u32) -> Uuid {
    let mut bytes = *checkout.as_bytes();
    for (byte, mixed) in bytes[8..].iter_mut().zip(((u64::from(number) << 32) | 0x50).to_be_bytes()) {
        *byte ^= mixed;
    }
    bytes[6] = (bytes[6] & 0x0F) | 0x80;
    bytes[8] = (bytes[8] & 0x3F) | 0x80;
    Uuid::from_bytes(bytes)
}

impl Process for CheckoutProcess {
    const NAME: &'static str = "checkout";
    const CONTEXT: Context = Context::Checkout;
    const READS: &'static [Context] = &[Context::Checkout, Context::Orders, Context::Payments];
    type State = State;
    type Command = Command;
    type Answer = Answer;

    fn correlate(event: &DomainEvent, aggregate: Uuid) -> Option<Concerned> {
        match event {
            DomainEvent::Checkout(
                CheckoutEvent::Started(_) | CheckoutEvent::PaymentChosen(_) | CheckoutEvent::AbortAsked(_),
            ) => Some(Concerned::Process(aggregate)),
            DomainEvent::Orders(OrdersEvent::Cancelled(_)) => Some(Concerned::Linked(aggregate)),
            DomainEvent::Payments(event) => react::payment(event).map(|(payment, _)| Concerned::Linked(payment)),
            _ => None,
        }
    }

    fn react(state: Option<&State>, trigger: &Trigger<Answer>) -> Option<(State, Vec<Step<Command>>)> {
        react::react(state, trigger)
    }

    async fn perform(app: &App, scope: &Scope, call: &Call<'_, Command>) -> Result<Answered<Answer>, Error> {
        steps::perform(app, scope, call).await
    }

    async fn note(conn: &mut PgConnection, scope: &Scope, process: Uuid, note: &Note) -> Result<Done, Error> {
        let resumed = |how, step: Option<&String>, reason: &String| {
            CheckoutCommand::Resume(CheckoutResumed { how, step: step.cloned(), reason: reason.clone() })
        };
        let command = match note {
            Note::Parked { step, reason } => {
                CheckoutCommand::Park(CheckoutParked { step: step.clone(), reason: reason.clone() })
            }
            Note::Retried { reason } => resumed(Resumption::Retry, None, reason),
            Note::Skipped { step, reason } => resumed(Resumption::Skip, Some(step), reason),
            Note::Aborted { reason } => resumed(Resumption::Abort, None, reason),
        };
        act::decide(conn, scope, process, command).await
    }
}
