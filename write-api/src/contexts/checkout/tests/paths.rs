//! The ways that a checkout goes, step by step.

use super::world::{
    CHECKOUT, Run, abort_asked, answer, begun, chosen, failed, now, order_cancelled, payment, refused, started, told,
};
use crate::{
    contexts::checkout::process::{Answer, CheckoutProcess, Command, Hold, Ordered, Outcome, Paying, order_id},
    pipeline::process::{Process, Step, What, scenario::Scenario},
};
use schemas::{
    TimeDelta, Uuid,
    events::{
        checkout::{AbortReason, CheckoutAction},
        settings::{LatePayments, PaymentMethod},
    },
};
use std::collections::BTreeSet;

/// What is done before anybody pays.
const HELD: [&str; 5] = ["lock_cart", "reserve_uses", "reserve_stock", "create_order", "pin_stock"];
/// What is done once the money is secure.
const SETTLED: [&str; 4] = ["confirm_order", "commit_stock", "consume_uses", "check_out_cart"];
/// What is taken back of a checkout whose order is there.
const FREED: [&str; 4] = ["cancel_order", "release_stock", "release_uses", "unlock_cart"];

fn card() -> Run {
    let mut run = Run::of(started(PaymentMethod::Card, 4_200, true));
    run.done(&HELD);
    run
}

/// A card payment that waits for the shopper.
fn acting() -> Run {
    let mut run = card();
    run.pays("create_payment:1", Paying::Created);
    run.pays("authorise:1", Paying::Action { action: CheckoutAction::Confirm });
    run.done(&["await:1"]);
    run
}

#[test]
fn it_begins_with_the_cart() {
    Scenario::<CheckoutProcess>::given([])
        .when(&begun(started(PaymentMethod::Card, 4_200, true)))
        .then([Step::command("lock_cart", Command::LockCart)]);
    let early = Scenario::<CheckoutProcess>::given([]).when(&abort_asked()).then([]);
    assert!(early.state().is_none(), "nothing is known of it");
}

#[test]
fn a_card_is_held_then_taken_and_all_that_was_held_belongs_to_the_order() {
    let mut run = card();
    run.pays("create_payment:1", Paying::Created);
    run.pays("authorise:1", Paying::Authorized);
    run.done(&["confirm_order"]);
    run.pays("capture:1", Paying::Captured);
    run.done(&["commit_stock", "consume_uses", "check_out_cart", "tell_order:1", "complete"]);
    assert!(run.has_ended());
}

#[test]
fn cash_is_due_later() {
    let mut run = Run::of(started(PaymentMethod::CashOnDelivery, 4_200, true));
    run.done(&HELD).pays("create_payment:1", Paying::Created);
    run.done(&SETTLED).done(&["tell_order:1", "complete"]);
    assert!(run.has_ended());
}

#[test]
fn a_transfer_is_waited_for() {
    let mut run = Run::of(started(PaymentMethod::Transfer, 4_200, true));
    run.done(&HELD);
    let until = now() + TimeDelta::days(3);
    assert!(run.steps.contains(&Step::Timer { name: "deadline", at: until }));
    assert!(run.steps.contains(&Step::Link(payment(1))));
    run.pays("create_payment:1", Paying::Created).done(&["await:1"]);
    assert_eq!(run.step(), None);
    run.state.as_mut().expect("a state").note_payment(payment(1), Paying::Captured);
    run.tell(&told(What::Timer("again".to_owned())));
    run.done(&SETTLED).done(&["tell_order:2", "complete"]);
    assert!(run.has_ended());
}

#[test]
fn what_costs_nothing_is_not_paid() {
    let mut run = Run::of(started(PaymentMethod::Card, 0, true));
    run.done(&["lock_cart", "reserve_uses", "reserve_stock", "create_order"]);
    run.done(&SETTLED).done(&["tell_order:1", "complete"]);
    assert!(run.has_ended() && run.asked.iter().all(|step| !step.contains("payment")));
}

#[test]
fn without_promotions_no_uses_are_kept() {
    let mut run = Run::of(started(PaymentMethod::CashOnDelivery, 4_200, false));
    run.done(&["lock_cart", "reserve_stock", "create_order", "pin_stock"]).pays("create_payment:1", Paying::Created);
    run.done(&["confirm_order", "commit_stock", "check_out_cart", "tell_order:1", "complete"]);
    assert!(run.has_ended());
}

#[test]
fn a_decline_waits_for_the_next_attempt_with_all_still_held() {
    let mut run = card();
    run.pays("create_payment:1", Paying::Created).pays("authorise:1", failed("card_declined"));
    assert_eq!(run.step(), Some("await:1"));
    run.done(&["await:1"]).tell(&chosen(PaymentMethod::Card));
    run.pays("authorise:2", Paying::Authorized);
    assert_eq!(run.step(), Some("confirm_order"));
}

#[test]
fn another_method_is_another_payment_and_the_one_before_is_ended() {
    let mut run = acting();
    run.tell(&chosen(PaymentMethod::CashOnDelivery));
    run.pays("void_payment:1:2", Paying::Voided).pays("create_payment:2", Paying::Created);
    assert_eq!(run.step(), Some("confirm_order"));
}

#[test]
fn the_money_that_came_counts_whatever_was_chosen_since() {
    let mut run = acting();
    run.tell(&chosen(PaymentMethod::CashOnDelivery)).pays("void_payment:1:2", Paying::Captured);
    assert_eq!(run.step(), Some("confirm_order"));
}

#[test]
fn when_no_attempt_is_left_all_is_free_again() {
    let mut run = card();
    run.pays("create_payment:1", Paying::Created).pays("authorise:1", failed("card_declined"));
    for attempt in 2..=3 {
        let waits = run.step().expect("a step").to_owned();
        run.done(&[waits.as_str()]).tell(&chosen(PaymentMethod::Card));
        run.pays(&format!("authorise:{attempt}"), failed("card_declined"));
    }
    assert!(run.step().is_some_and(|step| step.starts_with("void_payment:1")), "{:?}", run.asked);
    run.answers(Answer::Payment(Paying::Voided)).done(&FREED);
    let told = run.step().expect("a step").to_owned();
    run.done(&[told.as_str(), "abort"]);
    assert!(run.has_ended());
}

#[test]
fn what_is_sold_out_ends_it_before_there_is_an_order() {
    let mut run = Run::of(started(PaymentMethod::Card, 4_200, true));
    run.done(&["lock_cart", "reserve_uses"]).tell(&refused("reserve_stock"));
    run.done(&["release_uses", "unlock_cart"]);
    let abort = run.steps.first().cloned();
    let Some(Step::Command { command: Command::Abort { reason, obstacles }, .. }) = abort else {
        unreachable!("it is told why: {abort:?}")
    };
    assert_eq!((reason, obstacles.len()), (AbortReason::OutOfStock, 1));
}

#[test]
fn a_cart_that_was_changed_ends_it_at_once() {
    let mut run = Run::of(started(PaymentMethod::Card, 4_200, true));
    run.tell(&refused("lock_cart"));
    assert_eq!(run.step(), Some("abort"));
}

#[test]
fn nothing_is_taken_back_while_a_step_is_under_way() {
    let mut run = card();
    run.pays("create_payment:1", Paying::Created);
    assert_eq!(run.step(), Some("authorise:1"));
    run.tell(&abort_asked());
    assert_eq!(run.step(), None, "the outcome of the attempt is not known");
    run.tell(&answer("authorise:1", Answer::Payment(Paying::Pending)));
    run.pays("void_payment:1:1", Paying::Pending);
    assert_eq!(run.step(), None, "the provider does not know it either");
    run.tell(&told(What::Timer("again".to_owned())));
    run.pays("void_payment:1:2", Paying::Voided).done(&FREED);
}

#[test]
fn who_leaves_is_given_up_at_the_deadline() {
    let mut run = acting();
    run.tell(&told(What::Timer("deadline".to_owned())));
    run.pays("void_payment:1:2", Paying::Voided).done(&FREED);
    let told = run.step().expect("a step").to_owned();
    run.done(&[told.as_str()]);
    assert_eq!(run.step(), Some("abort"));
    run.done(&["abort"]);
    assert!(run.has_ended());
}

#[test]
fn a_payment_that_comes_after_the_end_is_let_go_of_or_goes_back() {
    for (late, step, after) in
        [(Paying::Authorized, "void_payment:1:", Paying::Voided), (Paying::Captured, "refund:1", Paying::Refunded)]
    {
        let mut run = acting();
        run.tell(&abort_asked()).pays("void_payment:1:2", Paying::Voided).done(&FREED);
        let told_order = run.step().expect("a step").to_owned();
        run.done(&[told_order.as_str(), "abort"]);
        assert!(run.has_ended());
        run.state.as_mut().expect("a state").note_payment(payment(1), late);
        run.tell(&told(What::Timer("again".to_owned())));
        assert!(run.step().is_some_and(|asked| asked.starts_with(step)), "{:?}", run.asked);
        run.answers(Answer::Payment(after));
        let told_order = run.step().expect("the order is told").to_owned();
        run.done(&[told_order.as_str()]);
        assert!(run.has_ended() && run.step().is_none());
    }
}

#[test]
fn money_that_comes_while_all_is_held_makes_the_order_if_the_shop_says_so() {
    let mut started = started(PaymentMethod::Card, 4_200, true);
    started.policy.late_payments = LatePayments::GoOn;
    let mut run = Run::of(started);
    run.done(&HELD).pays("create_payment:1", Paying::Created).pays("authorise:1", Paying::Pending).done(&["await:1"]);
    run.tell(&told(What::Timer("deadline".to_owned()))).pays("void_payment:1:2", Paying::Captured);
    assert_eq!(run.step(), Some("confirm_order"));
}

#[test]
fn who_does_not_want_it_gets_the_money_back_that_came_meanwhile() {
    let mut run = acting();
    run.tell(&abort_asked()).pays("void_payment:1:2", Paying::Captured);
    run.pays("refund:1", Paying::Refunded).done(&FREED);
}

#[test]
fn an_order_that_staff_cancel_gives_back_what_it_took() {
    let mut run = card();
    run.pays("create_payment:1", Paying::Created).pays("authorise:1", Paying::Authorized).done(&["confirm_order"]);
    run.pays("capture:1", Paying::Captured);
    run.done(&["commit_stock", "consume_uses", "check_out_cart", "tell_order:1", "complete"]);
    run.tell(&order_cancelled()).pays("refund:1", Paying::Refunded).done(&["release_stock", "release_uses"]);
    let told = run.step().expect("a step").to_owned();
    assert!(told.starts_with("tell_order"), "{:?}", run.asked);
    run.done(&[told.as_str()]);
    assert!(run.has_ended() && !run.asked.iter().any(|step| step == "unlock_cart" || step == "abort"));
}

#[test]
fn an_order_that_is_certain_is_not_given_up() {
    let mut run = card();
    run.pays("create_payment:1", Paying::Created).pays("authorise:1", Paying::Authorized).done(&["confirm_order"]);
    run.tell(&abort_asked()).tell(&told(What::Timer("deadline".to_owned())));
    run.tell(&answer("capture:1", Answer::Payment(Paying::Captured)));
    assert_eq!(run.step(), Some("commit_stock"));
}

#[test]
fn a_hold_that_is_over_when_it_is_taken_ends_it() {
    let mut run = card();
    run.pays("create_payment:1", Paying::Created).pays("authorise:1", Paying::Authorized).done(&["confirm_order"]);
    run.pays("capture:1", failed("expired"));
    run.done(&FREED);
}

#[test]
fn an_answer_that_comes_twice_changes_nothing() {
    let mut run = card();
    let before = run.state.clone();
    run.tell(&answer("reserve_stock", Answer::Done));
    run.tell(&answer("lock_cart", Answer::Done));
    assert_eq!(run.state, before);
    let again = CheckoutProcess::react(run.state.as_ref(), &begun(started(PaymentMethod::Card, 4_200, true)));
    assert!(again.is_none_or(|(state, steps)| Some(state) == before && steps.is_empty()));
}

#[test]
fn a_process_goes_on_from_what_was_kept_of_it() {
    let mut run = acting();
    let kept = serde_json::to_string(&run.state).expect("JSON");
    run.state = serde_json::from_str(&kept).expect("a state");
    run.tell(&chosen(PaymentMethod::CashOnDelivery));
    assert_eq!(run.step(), Some("void_payment:1:2"));
}

#[test]
fn staff_lead_it_past_a_step_and_end_it() {
    let mut run = card();
    run.pays("create_payment:1", Paying::Created).pays("authorise:1", Paying::Authorized);
    run.tell(&told(What::Skipped { step: "confirm_order".to_owned() }));
    run.tell(&told(What::Skipped { step: "capture:1".to_owned() }));
    assert_eq!(run.step(), Some("commit_stock"));
    let mut run = acting();
    run.tell(&told(What::Abort { reason: "by staff".to_owned() }));
    assert_eq!(run.step(), Some("void_payment:1:2"));
}

#[test]
fn ids_that_follow_from_a_checkout_differ() {
    let mut ids: BTreeSet<Uuid> = (1..=50).map(payment).collect();
    ids.extend([order_id(CHECKOUT), CHECKOUT]);
    assert_eq!(ids.len(), 52);
    assert!(ids.iter().filter(|id| **id != CHECKOUT).all(|id| id.get_version_num() == 8));
    let facts = acting().state.expect("a state").facts().clone();
    assert_eq!((facts.stock, facts.order, facts.outcome), (Hold::Pinned, Ordered::Created, Outcome::Open));
}
