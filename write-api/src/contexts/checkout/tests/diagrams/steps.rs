//! The steps of a checkout's process: whatever it may be told is told to it wherever it has got to.

use super::super::world::{
    Told, abort_asked, answer, begun, chosen, failed, order_cancelled, payment, refused, started, told,
};
use crate::{
    contexts::checkout::process::{Answer, CheckoutProcess, Ordered, Paying, State},
    domain::diagram::Diagram,
    pipeline::process::{Process, Step, What},
};
use schemas::{
    Uuid,
    events::{
        DomainEvent, PaymentsEvent,
        checkout::CheckoutAction,
        payments::{CaptureSource, PaymentCaptured, PaymentFailed},
        settings::PaymentMethod,
    },
    money::{Currency, Money},
};
use std::collections::{BTreeSet, VecDeque};

const TOTAL: i64 = 4_200;
/// States before it is taken for endless.
const MOST_STATES: usize = 100_000;
const MOST_PAYMENTS: usize = 2;
const FIRST: &str = "lock_cart";
/// Where nothing is under way.
const WAITS: &str = "waits";

/// Where it goes on in the other diagram.
const GIVEN_UP: &str = "given_up";

/// One step after another, or what came instead of it.
struct Arrow {
    from: String,
    /// None where nothing is left to do.
    to: Option<String>,
    by: &'static str,
    /// Whether it was given up before, and is after that.
    was_given_up: bool,
    is_given_up: bool,
}

/// As long as it goes on, and once it goes back.
pub(super) fn diagrams() -> [Diagram; 2] {
    let mut onwards = Diagram::new("Process of a checkout, onwards");
    let mut back = Diagram::new("Process of a checkout, once it is given up");
    let arrows = arrows();
    let of_the_way_back: BTreeSet<&str> =
        arrows.iter().filter(|arrow| arrow.is_given_up).filter_map(|arrow| arrow.to.as_deref()).collect();
    onwards.leads(None, Some(FIRST), "started");
    for Arrow { from, to, by, was_given_up, is_given_up } in &arrows {
        match (was_given_up, is_given_up) {
            (_, false) => onwards.leads(Some(from), to.as_deref(), by),
            (false, true) => {
                onwards.leads(Some(from), Some(GIVEN_UP), by);
                back.leads(None, to.as_deref(), GIVEN_UP);
            }
            (true, true) if of_the_way_back.contains(from.as_str()) => back.leads(Some(from), to.as_deref(), by),
            // It was under way when it was given up.
            (true, true) => back.leads(None, to.as_deref(), GIVEN_UP),
        }
    }
    [onwards, back]
}

/// Where it gets to from its beginning on, whatever it is told.
fn arrows() -> Vec<Arrow> {
    let mut arrows = Vec::new();
    let mut seen = BTreeSet::new();
    let mut queue: VecDeque<State> = begun_in_each_way().into();
    while let Some(state) = queue.pop_front() {
        for (by, told) in whatever(&state) {
            let Some((after, steps)) = CheckoutProcess::react(Some(&state), &told) else { continue };
            let has_ended = steps.contains(&Step::End);
            if state.step_under_way() != after.step_under_way() || has_ended {
                let (from, to) = (place(&state), (!has_ended).then(|| place(&after)));
                let (was_given_up, is_given_up) = (state.is_given_up(), after.is_given_up());
                arrows.push(Arrow { from, to, by, was_given_up, is_given_up });
            }
            if !has_ended && seen.insert(known(&after)) {
                queue.push_back(after);
            }
        }
        assert!(seen.len() < MOST_STATES, "the process comes to ever new states");
    }
    arrows
}

/// Paid by card, paid at the door, and free.
fn begun_in_each_way() -> Vec<State> {
    let ways = [(PaymentMethod::Card, TOTAL), (PaymentMethod::CashOnDelivery, TOTAL), (PaymentMethod::Card, 0)];
    let begin = |(method, total)| {
        let mut started = started(method, total, true);
        started.policy.payment_attempts = 2;
        let (state, _) = CheckoutProcess::react(None, &begun(started)).expect("it begins");
        assert_eq!(place(&state), FIRST);
        state
    };
    ways.map(begin).into()
}

/// The step that is under way, without the numbers that tell repetitions apart.
fn place(state: &State) -> String {
    state.step_under_way().and_then(|step| step.split(':').next()).unwrap_or(WAITS).to_owned()
}

/// What tells states apart, but for how often something was done, and why it was given up.
fn known(state: &State) -> String {
    let mut known = serde_json::to_value(state).expect("JSON");
    known["repeats"] = 0.into();
    known["give_up"] = known["give_up"].is_null().into();
    known["obstacles"] = 0.into();
    known["out"] = place(state).into();
    known.to_string()
}

/// All that it may be told now, by a word for it.
fn whatever(state: &State) -> Vec<(&'static str, Told)> {
    let mut all = vec![("abort_asked", abort_asked()), ("deadline", told(What::Timer("deadline".to_owned())))];
    let facts = state.facts();
    if facts.order != Ordered::No {
        all.push(("order_cancelled", order_cancelled()));
    }
    if let Some(step) = state.step_under_way() {
        all.extend(answers(&place(state)).into_iter().map(|(word, given)| (word, answer(step, given))));
        all.extend(refusal(step));
        return all;
    }
    all.push(("again", told(What::Timer("again".to_owned()))));
    if !facts.payments.is_empty() {
        all.extend(payments(payment(u32::try_from(facts.payments.len()).expect("few"))));
    }
    // The checkout refuses it without attempts left. A third payment is like the second.
    if state.has_attempts_left() && facts.payments.len() < MOST_PAYMENTS {
        all.extend([PaymentMethod::Card, PaymentMethod::Transfer].map(|method| ("payment_chosen", chosen(method))));
    }
    all
}

/// What comes of a step that is not refused.
fn answers(step: &str) -> Vec<(&'static str, Answer)> {
    let paying: Vec<(&str, Paying)> = match step {
        "create_payment" => vec![("created", Paying::Created)],
        "authorise" => vec![
            ("pending", Paying::Pending),
            ("action_required", Paying::Action { action: CheckoutAction::Redirect }),
            ("authorized", Paying::Authorized),
            ("failed", failed("card_declined")),
        ],
        "capture" => {
            vec![("captured", Paying::Captured), ("pending", Paying::Pending), ("failed", failed("expired"))]
        }
        "look" => vec![("captured", Paying::Captured), ("partly", Paying::Partly)],
        "void_payment" => {
            vec![("voided", Paying::Voided), ("pending", Paying::Pending), ("captured", Paying::Captured)]
        }
        "refund" => vec![("refunded", Paying::Refunded)],
        _ => return vec![("done", Answer::Done)],
    };
    paying.into_iter().map(|(word, paying)| (word, Answer::Payment(paying))).collect()
}

/// That a step is refused, where that may be more than that nothing is left to do.
fn refusal(step: &str) -> Option<(&'static str, Told)> {
    let kind = step.split(':').next().unwrap_or(step);
    let matters = [
        "lock_cart",
        "reserve_uses",
        "reserve_stock",
        "create_order",
        "pin_stock",
        "create_payment",
        "authorise",
        "confirm_order",
        "capture",
        "commit_stock",
        "void_payment",
        "refund",
    ];
    matters.contains(&kind).then(|| ("refused", refused(step)))
}

/// What may be told of a payment.
fn payments(payment_id: Uuid) -> Vec<(&'static str, Told)> {
    let happened = |event| told(What::Event(payment_id, DomainEvent::Payments(event)));
    let captured = |amount| {
        happened(PaymentsEvent::PaymentCaptured(PaymentCaptured {
            payment_id,
            order_id: Uuid::nil(),
            capture_id: "c".to_owned(),
            source: CaptureSource::Transfer,
            account: "main".to_owned(),
            money: Money { amount, currency: Currency::USD },
            from_hold: 0,
            released: 0,
            attempt: None,
        }))
    };
    let (attempt, reason, reference) = (1, "card_declined".to_owned(), None);
    let failed = PaymentsEvent::PaymentFailed(PaymentFailed { payment_id, attempt, reason, reference });
    vec![
        ("payment_captured", captured(TOTAL)),
        ("payment_captured", captured(TOTAL / 2)),
        ("payment_failed", happened(failed)),
    ]
}
