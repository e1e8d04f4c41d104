//! What the process of a checkout makes of what it is told.

use super::{
    Answer, Command, payment_id,
    plan::{AGAIN, DEADLINE},
    state::{Hold, Ordered, Outcome, Paying, State},
};
use crate::pipeline::process::{Step, Trigger, What};
use schemas::{
    Timestamp, Uuid,
    events::{
        CheckoutEvent, DomainEvent, OrdersEvent, PaymentsEvent,
        checkout::{AbortReason, AbortedBy, CheckoutAction, Obstacle},
        payments::ActionKind,
    },
};

/// The next state and steps; none where nothing follows.
pub(super) fn react(state: Option<&State>, trigger: &Trigger<Answer>) -> Option<(State, Vec<Step<Command>>)> {
    let now = trigger.at;
    let mut state = match (state, &trigger.what) {
        (Some(state), _) => state.clone(),
        (None, What::Event(checkout, DomainEvent::Checkout(CheckoutEvent::Started(started)))) => {
            State::begun(*checkout, started)
        }
        (None, _) => return None,
    };
    let mut steps = match &trigger.what {
        What::Event(_, event) => {
            state.happened(event);
            Vec::new()
        }
        What::Answer { step, answer } => state.answered(step, answer, now)?,
        What::Skipped { step } => state.answered(step, &skipped(step), now)?,
        What::Timer(timer) => {
            state.time_came(timer);
            Vec::new()
        }
        What::Abort { .. } => {
            state.give_up(AbortReason::Staff);
            Vec::new()
        }
    };
    steps.extend(state.plan(now));
    Some((state, steps))
}

/// What a step would have answered that staff have done by hand.
fn skipped(step: &str) -> Answer {
    match kind(step) {
        "create_payment" => Answer::Payment(Paying::Created),
        "authorise" => Answer::Payment(Paying::Failed { reason: "skipped".to_owned() }),
        "capture" => Answer::Payment(Paying::Captured),
        "void_payment" => Answer::Payment(Paying::Voided),
        "refund" => Answer::Payment(Paying::Refunded),
        _ => Answer::Done,
    }
}

/// What a step is, without the numbers that tell repetitions apart.
fn kind(step: &str) -> &str {
    step.split(':').next().unwrap_or(step)
}

/// The payment that a step is about.
fn number(step: &str) -> Option<u32> {
    step.split(':').nth(1)?.parse().ok()
}

impl State {
    fn happened(&mut self, event: &DomainEvent) {
        match event {
            DomainEvent::Checkout(event) => match event {
                CheckoutEvent::PaymentChosen(chosen) => self.chosen = Some(chosen.payment_method),
                CheckoutEvent::AbortAsked(asked) => self.give_up(match asked.by {
                    AbortedBy::Shopper => AbortReason::Shopper,
                    AbortedBy::Staff => AbortReason::Staff,
                }),
                // What it has said itself.
                CheckoutEvent::Started(_)
                | CheckoutEvent::AwaitingPayment(_)
                | CheckoutEvent::Completed(_)
                | CheckoutEvent::Aborted(_)
                | CheckoutEvent::Parked(_)
                | CheckoutEvent::Resumed(_) => {}
            },
            DomainEvent::Orders(event) => match event {
                OrdersEvent::Cancelled(_) => self.facts.order = Ordered::Cancelled,
                OrdersEvent::Created(_)
                | OrdersEvent::Claimed(_)
                | OrdersEvent::Confirmed(_)
                | OrdersEvent::PaymentMethodChanged(_)
                | OrdersEvent::PaymentChanged(_)
                | OrdersEvent::Paid(_)
                | OrdersEvent::Refunded(_)
                | OrdersEvent::FulfilmentChanged(_)
                | OrdersEvent::Closed(_) => {}
            },
            DomainEvent::Payments(event) => self.payment_happened(event),
            // It is told of no other context.
            _ => {}
        }
    }

    fn payment_happened(&mut self, event: &PaymentsEvent) {
        match payment(event) {
            Some((payment, Some(Paying::Captured))) if captured(event) < self.total => {
                self.paid(payment, Paying::Partly);
                self.look = self.number_of(payment);
            }
            Some((payment, Some(paying))) => self.paid(payment, paying),
            Some((_, None)) => self.order_knows = false,
            None => {}
        }
    }

    /// A payment stands so by now.
    pub(super) fn paid(&mut self, payment: Uuid, paying: Paying) {
        if let Some(number) = self.number_of(payment) {
            self.is_unknown = false;
            self.note(number, paying);
        }
    }

    /// The number of a payment, if it is one of this checkout.
    fn number_of(&self, payment: Uuid) -> Option<u32> {
        let mut numbers = (1..).take(self.facts.payments.len());
        numbers.find(|number| payment_id(self.checkout, *number) == payment)
    }

    fn time_came(&mut self, timer: &str) {
        match timer {
            DEADLINE if !self.is_secure() => self.give_up(AbortReason::Deadline),
            AGAIN => self.is_unknown = false,
            _ => {}
        }
    }

    /// Takes the answer of a step in; none if it is not the one that is under way.
    fn answered(&mut self, step: &str, answer: &Answer, now: Timestamp) -> Option<Vec<Step<Command>>> {
        if self.out.as_deref() != Some(step) {
            return None;
        }
        self.out = None;
        match answer {
            Answer::Payment(paying) => Some(self.payment_answered(step, paying, now)),
            Answer::Done => {
                self.done(kind(step));
                Some(Vec::new())
            }
            Answer::Refused(obstacles) => Some(self.refused(kind(step), obstacles, now)),
        }
    }

    fn payment_answered(&mut self, step: &str, paying: &Paying, now: Timestamp) -> Vec<Step<Command>> {
        let number = match kind(step) {
            "authorise" => Some(self.current),
            _ => number(step),
        };
        let Some(number) = number else { return Vec::new() };
        self.note(number, paying.clone());
        match (kind(step), paying) {
            ("capture", Paying::Created | Paying::Failed { .. } | Paying::Voided) => {
                // The hold is over: there is nothing left to take.
                self.force(number, Paying::Voided);
                self.give_up = Some(AbortReason::PaymentFailed);
                Vec::new()
            }
            ("void_payment", Paying::Pending | Paying::Created | Paying::Action { .. } | Paying::Authorized)
            | ("capture", Paying::Pending | Paying::Authorized) => self.wait_for_outcome(now),
            ("void_payment", Paying::Failed { .. } | Paying::Voided) => {
                self.force(number, Paying::Voided);
                Vec::new()
            }
            ("refund", _) => {
                self.force(number, Paying::Refunded);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// What is known for certain, whatever was known before.
    fn force(&mut self, number: u32, paying: Paying) {
        let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        if let Some(known) = index.and_then(|index| self.facts.payments.get_mut(index)) {
            self.order_knows &= *known == paying;
            *known = paying;
        }
    }

    fn done(&mut self, step: &str) {
        let facts = &mut self.facts;
        match step {
            "lock_cart" => facts.cart = Hold::Held,
            "reserve_uses" => facts.uses = Hold::Held,
            "reserve_stock" => facts.stock = Hold::Held,
            "create_order" if facts.order == Ordered::No => facts.order = Ordered::Created,
            "pin_stock" => facts.stock = Hold::Pinned,
            "confirm_order" if facts.order == Ordered::Created => facts.order = Ordered::Confirmed,
            "commit_stock" => facts.stock = Hold::Taken,
            "consume_uses" => facts.uses = Hold::Taken,
            "check_out_cart" => facts.cart = Hold::Taken,
            "complete" => facts.outcome = Outcome::Completed,
            "cancel_order" => facts.order = Ordered::Cancelled,
            "release_stock" => facts.stock = Hold::Freed,
            "release_uses" => facts.uses = Hold::Freed,
            "unlock_cart" => facts.cart = Hold::Freed,
            "abort" => facts.outcome = Outcome::Aborted,
            _ => {}
        }
    }

    fn refused(&mut self, step: &str, obstacles: &[Obstacle], now: Timestamp) -> Vec<Step<Command>> {
        let reason = match step {
            "create_payment" | "authorise" => {
                self.force(self.current, Paying::Voided);
                return Vec::new();
            }
            "void_payment" | "refund" => return self.wait_for_outcome(now),
            "capture" => {
                self.force(self.current, Paying::Voided);
                AbortReason::PaymentFailed
            }
            "lock_cart" => AbortReason::CartChanged,
            "reserve_uses" => AbortReason::CouponExhausted,
            "reserve_stock" | "pin_stock" | "commit_stock" => AbortReason::OutOfStock,
            "create_order" | "confirm_order" => AbortReason::OrderRefused,
            // Nothing is left there to be freed or taken.
            _ => {
                self.done(step);
                return Vec::new();
            }
        };
        if matches!(step, "pin_stock" | "commit_stock") {
            // It has run out.
            self.facts.stock = Hold::Freed;
        }
        self.obstacles.extend_from_slice(obstacles);
        // Also of an order that is certain: what it is of can't be had.
        self.give_up.get_or_insert(reason);
        Vec::new()
    }
}

/// How much has come by an event, in minor units.
const fn captured(event: &PaymentsEvent) -> i64 {
    if let PaymentsEvent::PaymentCaptured(captured) = event { captured.money.amount } else { 0 }
}

/// The payment that an event concerns, and how it stands after that, if that changes; none of what no checkout waits for.
pub(super) fn payment(event: &PaymentsEvent) -> Option<(Uuid, Option<Paying>)> {
    let paying = match event {
        PaymentsEvent::PaymentPending(_) => Some(Paying::Pending),
        PaymentsEvent::PaymentActionRequired(required) => {
            let action = match required.action {
                ActionKind::Confirm => CheckoutAction::Confirm,
                ActionKind::Redirect => CheckoutAction::Redirect,
            };
            Some(Paying::Action { action })
        }
        PaymentsEvent::PaymentAuthorized(_) => Some(Paying::Authorized),
        PaymentsEvent::AuthorizationExpired(_) => Some(Paying::Failed { reason: "expired".to_owned() }),
        PaymentsEvent::PaymentCaptured(_) => Some(Paying::Captured),
        PaymentsEvent::PaymentFailed(failed) => Some(Paying::Failed { reason: failed.reason.clone() }),
        PaymentsEvent::PaymentVoided(_) => Some(Paying::Voided),
        // The order is told of it.
        PaymentsEvent::RefundRequested(_) | PaymentsEvent::RefundSucceeded(_) | PaymentsEvent::RefundFailed(_) => None,
        PaymentsEvent::ProviderAccountSet(_)
        | PaymentsEvent::PaymentCreated(_)
        | PaymentsEvent::FeeCharged(_)
        | PaymentsEvent::TransferEntered(_)
        | PaymentsEvent::TransferApproved(_)
        | PaymentsEvent::CashRemitted(_)
        | PaymentsEvent::PaymentMismatchFound(_)
        | PaymentsEvent::RefundSubmitted(_)
        | PaymentsEvent::LedgerTransactionPosted(_) => return None,
    };
    Some((event.belongs_to(), paying))
}
