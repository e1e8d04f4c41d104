//! What the process of a checkout knows.

use schemas::{
    Timestamp, Uuid,
    events::{
        checkout::{AbortReason, CheckoutAction, CheckoutPolicy, CheckoutStarted, Obstacle},
        settings::PaymentMethod,
    },
};
use serde::{Deserialize, Serialize};

/// How a payment stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Paying {
    /// It is not there yet.
    Asked,
    /// It is there, and nobody has been asked for money.
    Created,
    /// The provider has not said what came of it.
    Pending,
    /// The shopper has to do something.
    Action {
        /// What.
        action: CheckoutAction,
    },
    /// Somebody holds the money for the shop.
    Authorized,
    /// Less has come than is to be paid.
    Partly,
    /// The money has come.
    Captured,
    /// The last attempt has failed.
    Failed {
        /// Why, in a word.
        reason: String,
    },
    /// Nothing is paid by it any more.
    Voided,
    /// What had come goes back.
    Refunded,
}

impl Paying {
    /// Whether the money is held or has come.
    pub(super) const fn is_secure(&self) -> bool {
        match self {
            Self::Authorized | Self::Captured => true,
            Self::Asked
            | Self::Created
            | Self::Pending
            | Self::Action { .. }
            | Self::Partly
            | Self::Failed { .. }
            | Self::Voided
            | Self::Refunded => false,
        }
    }

    /// Whether money may still come by it if nobody ends it.
    pub(super) const fn is_open(&self) -> bool {
        match self {
            Self::Created | Self::Pending | Self::Action { .. } | Self::Authorized | Self::Failed { .. } => true,
            Self::Asked | Self::Partly | Self::Captured | Self::Voided | Self::Refunded => false,
        }
    }

    /// Whether money has come that goes back if nothing comes of the checkout.
    pub(super) const fn has_come(&self) -> bool {
        matches!(self, Self::Partly | Self::Captured)
    }

    /// Whether a payment that stands so can come to stand like the other: what is told late changes nothing.
    pub(super) const fn may_become(&self, other: &Self) -> bool {
        self.rank() <= other.rank()
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Asked => 0,
            Self::Created | Self::Pending | Self::Action { .. } | Self::Failed { .. } => 1,
            Self::Voided => 2,
            Self::Authorized => 3,
            Self::Partly => 4,
            Self::Captured => 5,
            Self::Refunded => 6,
        }
    }
}

/// Whether something is held for the checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Hold {
    /// Not yet.
    No,
    /// It is.
    Held,
    /// It is, and does not end by itself.
    Pinned,
    /// It belongs to the order.
    Taken,
    /// It is free again.
    Freed,
}

/// How the order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ordered {
    No,
    Created,
    Confirmed,
    Cancelled,
}

/// How the checkout has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Open,
    Completed,
    Aborted,
}

/// What is known of the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) cart: Hold,
    pub(crate) uses: Hold,
    pub(crate) stock: Hold,
    pub(crate) order: Ordered,
    /// Each way in which it was to be paid.
    pub(crate) payments: Vec<Paying>,
    pub(crate) outcome: Outcome,
}

/// What the process of a checkout knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(super) checkout: Uuid,
    pub(super) method: PaymentMethod,
    pub(super) needs_payment: bool,
    /// What it costs, in minor units.
    pub(super) total: i64,
    pub(super) has_uses: bool,
    pub(super) policy: CheckoutPolicy,
    pub(super) facts: Facts,
    /// The payment that counts, from 1; 0 for none.
    pub(super) current: u32,
    /// How often the shopper has tried to pay.
    pub(super) attempt: u32,
    /// How often they had when the payment that counts was begun.
    pub(super) attempts_before: u32,
    /// When it is given up.
    pub(super) deadline: Option<Timestamp>,
    /// Why it is given up, if it is.
    pub(super) give_up: Option<AbortReason>,
    /// What stood in the way.
    pub(super) obstacles: Vec<Obstacle>,
    /// How the shopper wants to pay now.
    pub(super) chosen: Option<PaymentMethod>,
    /// The step that is under way.
    pub(super) out: Option<String>,
    /// What the shopper was told last: attempt, action, and payment.
    pub(super) told: Option<(u32, CheckoutAction, u32)>,
    /// Whether the order knows how far it is paid.
    pub(super) order_knows: bool,
    /// Numbers of steps that are done more than once.
    pub(super) repeats: u32,
    /// A payment can't be ended yet: its outcome is unknown.
    pub(super) is_unknown: bool,
    /// A payment of which a part has come: how much in all is looked up.
    pub(super) look: Option<u32>,
}

impl State {
    pub(super) fn begun(checkout: Uuid, started: &CheckoutStarted) -> Self {
        Self {
            checkout,
            method: started.payment_method,
            needs_payment: started.quote.needs_payment,
            total: started.quote.totals.total,
            has_uses: !started.quote.discounts.is_empty(),
            policy: started.policy.clone(),
            facts: Facts {
                cart: Hold::No,
                uses: Hold::No,
                stock: Hold::No,
                order: Ordered::No,
                payments: Vec::new(),
                outcome: Outcome::Open,
            },
            current: 0,
            attempt: 0,
            attempts_before: 0,
            deadline: None,
            give_up: None,
            obstacles: Vec::new(),
            chosen: None,
            out: None,
            told: None,
            order_knows: false,
            repeats: 0,
            is_unknown: false,
            look: None,
        }
    }

    /// A payment by its number.
    pub(super) fn payment(&self, number: u32) -> Option<&Paying> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.facts.payments.get(index)
    }

    /// The payment that counts.
    pub(super) fn paying(&self) -> Option<&Paying> {
        self.payment(self.current)
    }

    /// Takes note of how a payment stands, unless that was told late.
    pub(super) fn note(&mut self, number: u32, paying: Paying) {
        let known = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        let Some(known) = known.and_then(|index| self.facts.payments.get_mut(index)) else { return };
        if known.may_become(&paying) && *known != paying {
            *known = paying;
            self.order_knows = false;
        }
    }

    /// Whether nothing more has to come before the order is certain.
    pub(super) fn is_secure(&self) -> bool {
        let is_due_later = self.method == PaymentMethod::CashOnDelivery && self.paying() == Some(&Paying::Created);
        !self.needs_payment || is_due_later || self.paying().is_some_and(Paying::is_secure)
    }

    /// Whether it goes back instead of on.
    pub(super) fn goes_back(&self) -> bool {
        self.give_up.is_some() || self.facts.order == Ordered::Cancelled
    }

    /// Notes that it is given up, unless the order is certain: from then on staff cancel the order.
    pub(super) fn give_up(&mut self, reason: AbortReason) {
        if self.facts.order != Ordered::Confirmed && self.facts.outcome == Outcome::Open {
            self.give_up.get_or_insert(reason);
        }
    }
}

/// What tests look at.
#[cfg(test)]
impl State {
    pub(in super::super) fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(in super::super) fn step_under_way(&self) -> Option<&str> {
        self.out.as_deref()
    }

    pub(in super::super) fn is_given_up(&self) -> bool {
        self.goes_back()
    }

    pub(in super::super) fn has_attempts_left(&self) -> bool {
        self.attempt < self.policy.payment_attempts
    }

    pub(in super::super) fn note_payment(&mut self, payment: Uuid, paying: Paying) {
        self.paid(payment, paying);
    }
}
