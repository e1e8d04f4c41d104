//! What a checkout looks like in tests, and the world around its process.

use crate::{
    contexts::checkout::process::{Answer, CheckoutProcess, Command, Paying, State, payment_id},
    pipeline::process::{Process, Step, Trigger, What},
};
use schemas::{
    TimeDelta, Timestamp, Uuid,
    buyer::Buyer,
    events::{
        CheckoutEvent, DomainEvent, OrdersEvent,
        accounts::Sealed,
        checkout::{AbortedBy, CheckoutAbortAsked, CheckoutPaymentChosen, CheckoutPolicy, CheckoutStarted, Obstacle},
        orders::{OrderActor, OrderCancelled},
        settings::{LatePayments, PaymentMethod, PaymentTerms, TaxMode},
    },
    quote::{Discount, Quote, Totals},
};

/// The checkout of these tests.
pub(super) const CHECKOUT: Uuid = Uuid::from_u128(0x0199_2f6e_8a5c_7c31_9d1f_3b8e_5a70_c410);

pub(super) fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH + TimeDelta::days(20_000)
}

pub(super) fn quote(total: i64, with_discount: bool) -> Quote {
    let discount = Discount {
        promotion: "sale".to_owned(),
        title: "Sale".to_owned(),
        code: Some("SALE".to_owned()),
        amount: 100,
        words: "1.00 off".to_owned(),
        lines: Vec::new(),
        shipping: Vec::new(),
    };
    Quote {
        digest: "d1".to_owned(),
        priced_at: now(),
        currency: "EUR".parse().expect("a code"),
        tax_mode: TaxMode::Inclusive,
        tax_zone: None,
        lines: Vec::new(),
        shipping: Vec::new(),
        discounts: if with_discount { vec![discount] } else { Vec::new() },
        taxes: Vec::new(),
        totals: Totals { goods: total, total, net: total, ..Totals::default() },
        needs_payment: total > 0,
        notices: Vec::new(),
        sources: Vec::new(),
    }
}

pub(super) fn started(method: PaymentMethod, total: i64, with_discount: bool) -> CheckoutStarted {
    let terms = |method, deadline_minutes| PaymentTerms { method, deadline_minutes };
    CheckoutStarted {
        client_request_id: "c-1".to_owned(),
        buyer: Buyer::guest(Uuid::from_u128(3)),
        customer_key: "digest".to_owned(),
        cart_id: Uuid::from_u128(2),
        cart_version: 4,
        channel: None,
        email: Sealed("sealed".to_owned()),
        shipping_address: None,
        billing_address: None,
        place: None,
        payment_method: method,
        access_digest: None,
        quote: quote(total, with_discount),
        policy: CheckoutPolicy {
            payments: vec![
                terms(PaymentMethod::Card, 30),
                terms(PaymentMethod::Transfer, 3 * 24 * 60),
                terms(PaymentMethod::CashOnDelivery, 60),
            ],
            payment_attempts: 3,
            late_payments: LatePayments::Refund,
            order_prefix: "A-".to_owned(),
        },
    }
}

pub(super) type Told = Trigger<Answer>;

pub(super) fn told(what: What<Answer>) -> Told {
    Trigger { at: now(), what }
}

pub(super) fn begun(started: CheckoutStarted) -> Told {
    told(What::Event(CHECKOUT, DomainEvent::Checkout(CheckoutEvent::Started(Box::new(started)))))
}

pub(super) fn chosen(payment_method: PaymentMethod) -> Told {
    let chosen = CheckoutPaymentChosen { payment_method };
    told(What::Event(CHECKOUT, DomainEvent::Checkout(CheckoutEvent::PaymentChosen(chosen))))
}

pub(super) fn abort_asked() -> Told {
    let asked = CheckoutAbortAsked { by: AbortedBy::Shopper };
    told(What::Event(CHECKOUT, DomainEvent::Checkout(CheckoutEvent::AbortAsked(asked))))
}

pub(super) fn order_cancelled() -> Told {
    let cancelled = OrderCancelled { by: OrderActor::Staff { id: None }, reason: "on_request".to_owned(), note: None };
    told(What::Event(Uuid::nil(), DomainEvent::Orders(OrdersEvent::Cancelled(cancelled))))
}

pub(super) fn answer(step: &str, answer: Answer) -> Told {
    told(What::Answer { step: step.to_owned(), answer })
}

pub(super) fn refused(step: &str) -> Told {
    answer(step, Answer::Refused(vec![Obstacle { name: "A".to_owned(), words: "none is left".to_owned() }]))
}

pub(super) fn failed(reason: &str) -> Paying {
    Paying::Failed { reason: reason.to_owned() }
}

/// A process that is told one thing after the other.
pub(super) struct Run {
    pub(super) state: Option<State>,
    /// The steps that it asked for last.
    pub(super) steps: Vec<Step<Command>>,
    /// The names of all steps that it asked for.
    pub(super) asked: Vec<String>,
}

impl Run {
    pub(super) fn of(started: CheckoutStarted) -> Self {
        let mut run = Self { state: None, steps: Vec::new(), asked: Vec::new() };
        run.tell(&begun(started));
        run
    }

    pub(super) fn tell(&mut self, told: &Told) -> &mut Self {
        self.steps = match CheckoutProcess::react(self.state.as_ref(), told) {
            Some((state, steps)) => {
                self.state = Some(state);
                steps
            }
            None => Vec::new(),
        };
        self.asked.extend(self.step().map(str::to_owned));
        self
    }

    /// The step that it asked for last.
    pub(super) fn step(&self) -> Option<&str> {
        self.steps.iter().find_map(|step| match step {
            Step::Command { name, .. } => Some(name.as_str()),
            Step::Timer { .. } | Step::NoTimer(_) | Step::Link(_) | Step::End => None,
        })
    }

    /// Answers the step that it asked for last.
    pub(super) fn answers(&mut self, given: Answer) -> &mut Self {
        let step = self.step().expect("a step is under way").to_owned();
        self.tell(&answer(&step, given))
    }

    /// Answers each step of these with that it is done; each has to be the one that is under way.
    pub(super) fn done(&mut self, steps: &[&str]) -> &mut Self {
        for step in steps {
            assert_eq!(self.step(), Some(*step), "after {:?}", self.asked);
            self.answers(Answer::Done);
        }
        self
    }

    pub(super) fn pays(&mut self, step: &str, paying: Paying) -> &mut Self {
        assert_eq!(self.step(), Some(step), "after {:?}", self.asked);
        self.answers(Answer::Payment(paying))
    }

    pub(super) fn has_ended(&self) -> bool {
        self.steps.contains(&Step::End)
    }
}

/// The payment of that number.
pub(super) fn payment(number: u32) -> Uuid {
    payment_id(CHECKOUT, number)
}
