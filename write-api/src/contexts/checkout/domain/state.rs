//! What is kept of a checkout.

use schemas::{
    Uuid,
    events::{
        CheckoutEvent,
        checkout::{AbortReason, CheckoutAwaitingPayment, CheckoutStarted},
        settings::PaymentMethod,
    },
};
use serde::{Deserialize, Serialize};

/// How far a checkout is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Phase {
    /// It goes on by itself.
    Open,
    /// It waits for the shopper, or for a payment.
    AwaitingPayment {
        /// How often the shopper has tried.
        attempt: u32,
    },
    /// It has become an order.
    Completed,
    /// No order has come of it.
    Aborted {
        /// Why.
        reason: AbortReason,
    },
}

/// What was agreed on, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkout {
    /// What was agreed on.
    pub(crate) started: CheckoutStarted,
    /// The cart, as the table has it beside the state.
    pub(crate) cart_id: Uuid,
    /// How it is paid by now.
    pub(crate) payment_method: PaymentMethod,
    pub(crate) phase: Phase,
    /// What it waits for, told last.
    pub(crate) awaiting: Option<CheckoutAwaitingPayment>,
    /// Whether somebody does not want it any more.
    pub(crate) is_abort_asked: bool,
    /// Whether staff have to look after it.
    pub(crate) is_parked: bool,
    /// Whether it has ended.
    pub(crate) is_over: bool,
}

impl Checkout {
    fn started(started: CheckoutStarted) -> Self {
        Self {
            cart_id: started.cart_id,
            payment_method: started.payment_method,
            started,
            phase: Phase::Open,
            awaiting: None,
            is_abort_asked: false,
            is_parked: false,
            is_over: false,
        }
    }

    /// Whether something is being done about it: the shopper has nothing to do, and it has not ended.
    pub(crate) fn is_under_way(&self) -> bool {
        self.phase == Phase::Open && !self.is_parked
    }

    pub(super) fn after(checkout: Option<Self>, event: &CheckoutEvent) -> Option<Self> {
        if let CheckoutEvent::Started(started) = event {
            return Some(Self::started((**started).clone()));
        }
        let mut checkout = checkout?;
        match event.clone() {
            CheckoutEvent::Started(_) => {}
            CheckoutEvent::AwaitingPayment(awaiting) => {
                checkout.phase = Phase::AwaitingPayment { attempt: awaiting.attempt };
                checkout.payment_method = awaiting.payment_method;
                checkout.awaiting = Some(awaiting);
            }
            CheckoutEvent::PaymentChosen(chosen) => {
                checkout.phase = Phase::Open;
                checkout.payment_method = chosen.payment_method;
            }
            CheckoutEvent::AbortAsked(_) => checkout.is_abort_asked = true,
            CheckoutEvent::Completed(_) => (checkout.phase, checkout.is_over) = (Phase::Completed, true),
            CheckoutEvent::Aborted(aborted) => {
                (checkout.phase, checkout.is_over) = (Phase::Aborted { reason: aborted.reason }, true);
            }
            CheckoutEvent::Parked(_) => checkout.is_parked = true,
            CheckoutEvent::Resumed(_) => checkout.is_parked = false,
        }
        Some(checkout)
    }
}
