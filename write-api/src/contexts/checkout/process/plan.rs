//! What the process of a checkout does next. It follows from what is known: forwards until the order is certain and all that
//! was held belongs to it, or backwards until nothing is held any more. One step at a time is under way, and while it is, nothing
//! is taken back.

use super::{
    Command, order_id, payment_id,
    state::{Hold, Ordered, Outcome, Paying, State},
};
use crate::pipeline::process::Step;
use schemas::{
    TimeDelta, Timestamp,
    events::{
        checkout::{AbortReason, CheckoutAction},
        settings::{LatePayments, PaymentMethod},
    },
};

/// When it is given up.
pub(super) const DEADLINE: &str = "deadline";
/// When a payment is looked at again whose outcome is unknown.
pub(super) const AGAIN: &str = "again";
/// How long holds outlive the deadline.
const LONGER: TimeDelta = TimeDelta::minutes(10);
/// The deadline of a method that the policy does not name.
const USUAL_MINUTES: u32 = 30;
/// How long is waited before a payment of unknown outcome is ended again.
const LOOK_AGAIN: TimeDelta = TimeDelta::minutes(2);

type Steps = Vec<Step<Command>>;

fn step(name: impl Into<String>, command: Command) -> Option<Steps> {
    Some(vec![Step::command(name, command)])
}

impl State {
    /// The next step, unless one is under way or there is nothing to do but wait.
    pub(super) fn plan(&mut self, now: Timestamp) -> Steps {
        if self.out.is_some() {
            return Vec::new();
        }
        self.prefer_money();
        if self.is_unknown && !self.is_secure() {
            return Vec::new();
        }
        let look = self.look.take().and_then(|payment| self.look_at(payment));
        let planned = if look.is_some() {
            look
        } else if self.goes_back() {
            self.backwards()
        } else {
            self.forwards(now)
        };
        let steps = planned.unwrap_or_default();
        self.out = steps.iter().find_map(|step| match step {
            Step::Command { name, .. } => Some(name.clone()),
            Step::Timer { .. } | Step::NoTimer(_) | Step::Link(_) | Step::End => None,
        });
        steps
    }

    /// The payment that has brought money counts, whichever was chosen since.
    fn prefer_money(&mut self) {
        if !self.paying().is_some_and(Paying::is_secure) {
            let found = self.facts.payments.iter().position(Paying::is_secure);
            let Some(number) = found.and_then(|index| u32::try_from(index + 1).ok()) else { return };
            self.current = number;
        }
        // It was given up for want of money, which has come while all is still held.
        let for_want = matches!(self.give_up, Some(AbortReason::Deadline | AbortReason::PaymentFailed));
        let is_held = self.facts.stock == Hold::Pinned && self.facts.order == Ordered::Created;
        let goes_on = self.policy.late_payments == LatePayments::GoOn;
        if for_want && is_held && goes_on && self.facts.outcome == Outcome::Open {
            self.give_up = None;
        }
    }

    fn forwards(&mut self, now: Timestamp) -> Option<Steps> {
        let facts = &self.facts;
        if facts.cart == Hold::No {
            return step("lock_cart", Command::LockCart);
        }
        if self.has_uses && facts.uses == Hold::No {
            return step("reserve_uses", Command::ReserveUses);
        }
        if facts.stock == Hold::No {
            let until = now + self.longest() + LONGER;
            return step("reserve_stock", Command::ReserveStock { until });
        }
        if facts.order == Ordered::No {
            let create = Step::command("create_order", Command::CreateOrder);
            return Some(vec![Step::Link(order_id(self.checkout)), create]);
        }
        if self.needs_payment && facts.stock == Hold::Held {
            return step("pin_stock", Command::PinStock);
        }
        if let Some(other) = self.other_open().filter(|_| !self.is_unknown) {
            return self.end_payment(other);
        }
        // What becomes of the payment of an order that is certain is told to the order.
        if !self.is_secure() && self.facts.order != Ordered::Confirmed {
            return self.pay(now);
        }
        self.settle()
    }

    /// What is left once the money is secure.
    fn settle(&mut self) -> Option<Steps> {
        let facts = &self.facts;
        if facts.order == Ordered::Created {
            let confirm = Step::command("confirm_order", Command::ConfirmOrder);
            return Some(vec![Step::NoTimer(DEADLINE), confirm]);
        }
        if self.paying() == Some(&Paying::Authorized) {
            if self.is_unknown {
                return None;
            }
            let payment = self.current;
            return step(format!("capture:{payment}"), Command::Capture { payment });
        }
        if matches!(facts.stock, Hold::Held | Hold::Pinned) {
            return step("commit_stock", Command::CommitStock);
        }
        if facts.uses == Hold::Held {
            return step("consume_uses", Command::ConsumeUses);
        }
        if facts.cart == Hold::Held {
            return step("check_out_cart", Command::CheckOutCart);
        }
        if !self.order_knows {
            return self.tell_order();
        }
        match facts.outcome {
            Outcome::Open => step("complete", Command::Complete),
            Outcome::Completed | Outcome::Aborted => Some(vec![Step::End]),
        }
    }

    fn tell_order(&mut self) -> Option<Steps> {
        self.order_knows = true;
        self.repeats += 1;
        let payments = u32::try_from(self.facts.payments.len()).unwrap_or(u32::MAX);
        step(format!("tell_order:{}", self.repeats), Command::TellOrder { payments })
    }

    /// Another payment than the one that counts, by which money could still come, or has.
    fn other_open(&self) -> Option<u32> {
        let is_loose =
            |paying: &Paying| (paying.is_open() || paying.has_come()) && !matches!(paying, Paying::Failed { .. });
        (1..)
            .zip(&self.facts.payments)
            .find(|(number, paying)| *number != self.current && is_loose(paying))
            .map(|found| found.0)
    }

    fn pay(&mut self, now: Timestamp) -> Option<Steps> {
        if let Some(chosen) = self.chosen.take()
            && let Some(steps) = self.choose(chosen, now)
        {
            return Some(steps);
        }
        let payment = self.current;
        match self.paying().cloned() {
            None => self.new_payment(now),
            Some(Paying::Created) => match self.method {
                PaymentMethod::Card => self.authorise(),
                PaymentMethod::Transfer | PaymentMethod::CashOnDelivery => {
                    self.wait(CheckoutAction::Transfer, None, now)
                }
            },
            Some(Paying::Pending) => self.wait(CheckoutAction::Wait, None, now),
            Some(Paying::Partly) => self.wait(CheckoutAction::Transfer, None, now),
            Some(Paying::Action { action }) => self.wait(action, None, now),
            Some(Paying::Failed { .. }) if self.attempt >= self.policy.payment_attempts => {
                self.give_up(AbortReason::PaymentFailed);
                self.backwards()
            }
            Some(Paying::Failed { reason }) => self.wait(CheckoutAction::PayAgain, Some(reason), now),
            // Somebody has ended it elsewhere.
            Some(Paying::Voided | Paying::Refunded) => {
                self.wait(CheckoutAction::PayAgain, Some("refused".to_owned()), now)
            }
            Some(Paying::Asked | Paying::Authorized | Paying::Captured) => {
                step(format!("create_payment:{payment}"), Command::CreatePayment { payment, method: self.method })
            }
        }
    }

    /// The shopper wants to pay in this way now.
    fn choose(&mut self, chosen: PaymentMethod, now: Timestamp) -> Option<Steps> {
        let payment = self.current;
        match self.paying().cloned() {
            Some(Paying::Failed { .. }) if chosen == self.method && chosen == PaymentMethod::Card => self.authorise(),
            Some(Paying::Created | Paying::Pending | Paying::Action { .. }) if chosen == self.method => {
                // It is told once more what it waits for.
                self.told = None;
                None
            }
            Some(paying) if paying.is_open() => {
                // It is ended first, and chosen once that is known.
                self.chosen = Some(chosen);
                self.end_payment(payment)
            }
            _ => {
                self.method = chosen;
                self.new_payment(now)
            }
        }
    }

    fn new_payment(&mut self, now: Timestamp) -> Option<Steps> {
        self.facts.payments.push(Paying::Asked);
        self.current = u32::try_from(self.facts.payments.len()).unwrap_or(u32::MAX);
        self.attempts_before = self.attempt;
        if self.method != PaymentMethod::Card {
            self.attempt += 1;
        }
        let deadline = now + self.span(self.method);
        self.deadline = Some(deadline);
        let (payment, method) = (self.current, self.method);
        Some(vec![
            Step::Timer { name: DEADLINE, at: deadline },
            Step::Link(payment_id(self.checkout, payment)),
            Step::command(format!("create_payment:{payment}"), Command::CreatePayment { payment, method }),
        ])
    }

    fn authorise(&mut self) -> Option<Steps> {
        self.attempt += 1;
        let (payment, of_payment) = (self.current, self.attempt.saturating_sub(self.attempts_before));
        step(format!("authorise:{}", self.attempt), Command::Authorise { payment, attempt: of_payment })
    }

    /// Waits, and tells the shopper for what, once.
    fn wait(&mut self, action: CheckoutAction, declined: Option<String>, now: Timestamp) -> Option<Steps> {
        let told = (self.attempt, action, self.current);
        if self.told == Some(told) {
            return None;
        }
        self.told = Some(told);
        self.repeats += 1;
        let until = self.deadline.unwrap_or(now);
        let (payment, attempt, method) = (self.current, self.attempt, self.method);
        step(format!("await:{}", self.repeats), Command::Await { payment, method, attempt, action, until, declined })
    }

    /// Looks up how much of a payment has come.
    fn look_at(&mut self, payment: u32) -> Option<Steps> {
        self.repeats += 1;
        step(format!("look:{payment}:{}", self.repeats), Command::Look { payment })
    }

    fn end_payment(&mut self, payment: u32) -> Option<Steps> {
        self.repeats += 1;
        if self.payment(payment).is_some_and(Paying::has_come) {
            return step(format!("refund:{payment}"), Command::Refund { payment });
        }
        step(format!("void_payment:{payment}:{}", self.repeats), Command::VoidPayment { payment })
    }

    fn backwards(&mut self) -> Option<Steps> {
        if self.is_unknown {
            return None;
        }
        let loose = |paying: &Paying| paying.is_open() || paying.has_come();
        if let Some((number, _)) = (1..).zip(&self.facts.payments).find(|(_, paying)| loose(paying)) {
            return self.end_payment(number);
        }
        let facts = &self.facts;
        let reason = self.give_up.unwrap_or(AbortReason::Staff);
        if matches!(facts.order, Ordered::Created | Ordered::Confirmed) {
            return step("cancel_order", Command::CancelOrder { reason });
        }
        if matches!(facts.stock, Hold::Held | Hold::Pinned | Hold::Taken) {
            return step("release_stock", Command::ReleaseStock);
        }
        if matches!(facts.uses, Hold::Held | Hold::Pinned | Hold::Taken) {
            return step("release_uses", Command::ReleaseUses);
        }
        if matches!(facts.cart, Hold::Held | Hold::Pinned) {
            return step("unlock_cart", Command::UnlockCart);
        }
        if facts.order == Ordered::Cancelled && !facts.payments.is_empty() && !self.order_knows {
            return self.tell_order();
        }
        match facts.outcome {
            // It had become an order that was certain, and the cart with it; staff have cancelled that since.
            Outcome::Open if facts.cart == Hold::Taken => step("complete", Command::Complete),
            Outcome::Open => step("abort", Command::Abort { reason, obstacles: self.obstacles.clone() }),
            Outcome::Completed | Outcome::Aborted => Some(vec![Step::End]),
        }
    }

    /// Waits for the outcome of a payment that can't be ended yet.
    pub(super) fn wait_for_outcome(&mut self, now: Timestamp) -> Steps {
        self.is_unknown = true;
        vec![Step::Timer { name: AGAIN, at: now + LOOK_AGAIN }]
    }

    /// How long a method of payment may take.
    fn span(&self, method: PaymentMethod) -> TimeDelta {
        let found = self.policy.payments.iter().find(|terms| terms.method == method);
        TimeDelta::minutes(i64::from(found.map_or(USUAL_MINUTES, |terms| terms.deadline_minutes)))
    }

    /// How long any of them may take.
    fn longest(&self) -> TimeDelta {
        let minutes = self.policy.payments.iter().map(|terms| terms.deadline_minutes).max();
        TimeDelta::minutes(i64::from(minutes.unwrap_or(USUAL_MINUTES)))
    }
}
