//! Whatever comes in whatever order: a checkout ends as an order or with nothing held, and never as both.

use super::world::{Run, abort_asked, answer, begun, chosen, failed, order_cancelled, payment, refused, started, told};
use crate::contexts::checkout::process::{Answer, Facts, Hold, Ordered, Outcome, Paying};
use crate::pipeline::process::{Step, What};
use proptest::prelude::*;
use schemas::events::{
    checkout::CheckoutAction,
    settings::{LatePayments, PaymentMethod},
};

/// What happens next.
#[derive(Debug, Clone)]
enum Happening {
    /// The step that is under way is answered, as the world would.
    Answered {
        luck: u8,
    },
    /// An answer that came before comes again.
    AnsweredAgain {
        luck: u8,
    },
    /// A payment stands so by now.
    Paid(u32, Paying),
    Chosen(PaymentMethod),
    AbortAsked,
    Cancelled,
    Timer(&'static str),
    /// The process is taken up by another node.
    Restarted,
    StartedAgain,
}

fn any_paying() -> impl Strategy<Value = Paying> {
    prop_oneof![
        Just(Paying::Pending),
        Just(Paying::Action { action: CheckoutAction::Confirm }),
        Just(Paying::Authorized),
        Just(Paying::Captured),
        Just(Paying::Partly),
        Just(failed("card_declined")),
        Just(Paying::Voided),
    ]
}

fn any_method() -> impl Strategy<Value = PaymentMethod> {
    prop_oneof![Just(PaymentMethod::Card), Just(PaymentMethod::Transfer), Just(PaymentMethod::CashOnDelivery)]
}

fn any_happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        12 => any::<u8>().prop_map(|luck| Happening::Answered { luck }),
        1 => any::<u8>().prop_map(|luck| Happening::AnsweredAgain { luck }),
        2 => (1_u32..4, any_paying()).prop_map(|(number, paying)| Happening::Paid(number, paying)),
        1 => any_method().prop_map(Happening::Chosen),
        1 => Just(Happening::AbortAsked),
        1 => Just(Happening::Cancelled),
        1 => prop_oneof![Just("deadline"), Just("again")].prop_map(Happening::Timer),
        1 => Just(Happening::Restarted),
        1 => Just(Happening::StartedAgain),
    ]
}

/// What the world answers to a step.
fn world(step: &str, luck: u8) -> Answer {
    let kind = step.split(':').next().unwrap_or_default();
    match kind {
        "create_payment" => Answer::Payment(Paying::Created),
        "authorise" => Answer::Payment(match luck % 6 {
            0 => Paying::Pending,
            1 => Paying::Action { action: CheckoutAction::Redirect },
            2 => failed("card_declined"),
            _ => Paying::Authorized,
        }),
        "capture" => Answer::Payment(if luck.is_multiple_of(7) { failed("expired") } else { Paying::Captured }),
        "void_payment" => Answer::Payment(match luck % 7 {
            0 => Paying::Pending,
            1 => Paying::Captured,
            _ => Paying::Voided,
        }),
        "refund" => Answer::Payment(Paying::Refunded),
        "lock_cart" | "reserve_uses" | "reserve_stock" if luck.is_multiple_of(11) => {
            let What::Answer { answer, .. } = refused(step).what else { unreachable!("an answer") };
            answer
        }
        _ => Answer::Done,
    }
}

/// Lets things happen until nothing is under way, the world being well.
fn settle(run: &mut Run) -> bool {
    for _ in 0..200 {
        match run.state.as_ref().and_then(|state| state.step_under_way().map(str::to_owned)) {
            Some(step) => {
                run.tell(&answer(&step, world(&step, 5)));
            }
            None if run.has_ended() => return true,
            None => {
                run.tell(&told(What::Timer("again".to_owned())));
                if run.state.as_ref().is_some_and(|state| state.step_under_way().is_none()) && !run.has_ended() {
                    run.tell(&told(What::Timer("deadline".to_owned())));
                }
            }
        }
    }
    false
}

/// What may never be.
fn check(facts: &Facts, asked: &[String]) -> Result<(), TestCaseError> {
    let steps = |name: &str| asked.iter().filter(|step| step.as_str() == name).count();
    prop_assert!(steps("complete") <= 1 && steps("abort") <= 1, "{asked:?}");
    prop_assert!(steps("complete") + steps("abort") <= 1, "never both: {facts:?} {asked:?}");
    prop_assert!(steps("reserve_stock") <= 1 && steps("create_order") <= 1 && steps("lock_cart") <= 1, "{asked:?}");
    Ok(())
}

fn at_the_end(facts: &Facts, asked: &[String]) -> Result<(), TestCaseError> {
    let is_free = |hold: Hold| matches!(hold, Hold::No | Hold::Freed);
    let is_loose = |paying: &Paying| matches!(paying, Paying::Authorized | Paying::Partly | Paying::Captured);
    match (facts.outcome, facts.order) {
        (Outcome::Completed, Ordered::Confirmed) => {
            prop_assert!(facts.stock == Hold::Taken && facts.cart == Hold::Taken, "{facts:?} {asked:?}");
            prop_assert!(facts.uses == Hold::Taken, "{facts:?} {asked:?}");
            let secure = facts.payments.iter().filter(|paying| is_loose(paying)).count();
            prop_assert!(secure <= 1, "paid once: {facts:?} {asked:?}");
        }
        (Outcome::Completed, _) => {
            prop_assert!(is_free(facts.stock) && is_free(facts.uses), "{facts:?} {asked:?}");
            prop_assert!(!facts.payments.iter().any(is_loose), "{facts:?} {asked:?}");
        }
        (Outcome::Aborted, order) => {
            prop_assert!(matches!(order, Ordered::No | Ordered::Cancelled), "{facts:?} {asked:?}");
            prop_assert!(is_free(facts.stock) && is_free(facts.uses) && is_free(facts.cart), "{facts:?} {asked:?}");
            prop_assert!(!facts.payments.iter().any(is_loose), "{facts:?} {asked:?}");
        }
        (Outcome::Open, _) => prop_assert!(false, "it has not ended: {facts:?} {asked:?}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn a_checkout_ends_as_an_order_or_with_nothing_held(
        method in any_method(),
        total in prop_oneof![Just(0_i64), Just(4_200)],
        goes_on in any::<bool>(),
        happenings in proptest::collection::vec(any_happening(), 0..60),
    ) {
        let mut begin = started(method, total, true);
        if goes_on {
            begin.policy.late_payments = LatePayments::GoOn;
        }
        let mut run = Run::of(begin.clone());
        let mut last: Option<String> = None;
        for happening in happenings {
            let out = run.state.as_ref().and_then(|state| state.step_under_way().map(str::to_owned));
            let has_order = run.state.as_ref().is_some_and(|state| state.facts().order != Ordered::No);
            match happening {
                Happening::Answered { luck } => if let Some(step) = out {
                    run.tell(&answer(&step, world(&step, luck)));
                    last = Some(step);
                },
                Happening::AnsweredAgain { luck } => if let Some(step) = last.clone().filter(|last| Some(last) != out.as_ref()) {
                    run.tell(&answer(&step, world(&step, luck)));
                },
                Happening::Paid(number, paying) => if let Some(state) = run.state.as_mut() {
                    state.note_payment(payment(number), paying);
                    run.tell(&told(What::Timer("again".to_owned())));
                },
                Happening::Chosen(method) => { run.tell(&chosen(method)); }
                Happening::AbortAsked => { run.tell(&abort_asked()); }
                Happening::Cancelled => if has_order { run.tell(&order_cancelled()); },
                Happening::Timer(timer) => { run.tell(&told(What::Timer(timer.to_owned()))); }
                Happening::Restarted => {
                    let kept = serde_json::to_string(&run.state).expect("JSON");
                    run.state = serde_json::from_str(&kept).expect("a state");
                }
                Happening::StartedAgain => { run.tell(&begun(begin.clone())); }
            }
            let facts = run.state.as_ref().map(|state| state.facts().clone()).expect("a state");
            check(&facts, &run.asked)?;
            let commands = run.steps.iter().filter(|step| matches!(step, Step::Command { .. })).count();
            prop_assert!(commands <= 1);
        }
        prop_assert!(settle(&mut run), "it goes on for ever: {:?} {:?}", run.state, run.asked);
        let facts = run.state.as_ref().map(|state| state.facts().clone()).expect("a state");
        check(&facts, &run.asked)?;
        at_the_end(&facts, &run.asked)?;
    }
}
