//! Whatever is asked for in whatever order, the rules of payments hold, and the books are balanced.

use super::{Books, ORDER, PAYMENT, currency, late_refund, new, seen};
use crate::contexts::payments::domain::{Payment, PaymentCommand, RefundCommand, payment::ObservedStatus};
use proptest::prelude::*;
use schemas::{events::settings::PaymentMethod::Card, money::Money};
use std::collections::BTreeSet;

/// Something that is asked for, or that the provider says.
#[derive(Debug, Clone)]
enum Step {
    Begin(u32),
    Says(u32, ObservedStatus, i64),
    Fee(u32, u8),
    Void,
    Refund(u8, i64),
    Submit(u8),
    Succeed(u8),
    Fail(u8),
}

fn status() -> impl Strategy<Value = ObservedStatus> {
    prop_oneof![
        Just(ObservedStatus::Pending),
        Just(ObservedStatus::Authorized { until: None }),
        Just(ObservedStatus::Captured),
        Just(ObservedStatus::Failed { reason: "card_declined".to_owned() }),
        Just(ObservedStatus::Canceled),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (1_u32..4).prop_map(Step::Begin),
        6 => ((1_u32..4), status(), prop_oneof![Just(0_i64), 0_i64..1_200]).prop_map(|(n, status, sum)| Step::Says(n, status, sum)),
        1 => ((1_u32..4), 0_u8..3).prop_map(|(n, fee)| Step::Fee(n, fee)),
        1 => Just(Step::Void),
        2 => ((0_u8..3), 1_i64..1_200).prop_map(|(id, sum)| Step::Refund(id, sum)),
        1 => (0_u8..3).prop_map(Step::Submit),
        1 => (0_u8..3).prop_map(Step::Succeed),
        1 => (0_u8..3).prop_map(Step::Fail),
    ]
}

/// Takes a step; one that is refused leaves everything as it was.
fn take(books: &mut Books, money: Money, step: Step) {
    let sum = |amount| Money { amount, ..money };
    let refund = |id: u8| late_refund(u128::from(id) + 100, sum(0)).refund_id;
    let reference = "re_1".to_owned();
    let _ = match step {
        Step::Begin(attempt) => books.pay(PaymentCommand::Begin { attempt }),
        Step::Says(attempt, status, captured) => {
            books.pay(PaymentCommand::Observe(seen(attempt, money, status, captured)))
        }
        Step::Fee(attempt, fee) => {
            let mut observed = seen(attempt, money, ObservedStatus::Captured, money.amount);
            observed.fee = Some((format!("txn_{fee}"), sum(7)));
            books.pay(PaymentCommand::Observe(observed))
        }
        Step::Void => books.pay(PaymentCommand::Void { gives_back: true }),
        Step::Refund(id, amount) => {
            let requested = late_refund(u128::from(id) + 100, sum(amount));
            books.refund(refund(id), RefundCommand::Request { requested, left: books.left() })
        }
        Step::Submit(id) => books.refund(refund(id), RefundCommand::Submit { reference }),
        Step::Succeed(id) => books.refund(refund(id), RefundCommand::Succeed { reference }),
        Step::Fail(id) => books.refund(refund(id), RefundCommand::Fail { reason: "x".to_owned() }),
    };
}

fn holds(books: &Books, currency: &str) -> Result<(), TestCaseError> {
    let payment = books.payment.as_ref().expect("it was created");
    for attempt in &payment.attempts {
        prop_assert!(attempt.held() >= 0 && attempt.captured <= attempt.authorized, "{attempt:?}");
    }
    let ids: BTreeSet<_> = payment.captures.iter().map(|capture| &capture.capture_id).collect();
    prop_assert_eq!(ids.len(), payment.captures.len());
    prop_assert!(books.left() >= 0, "more went back than has come");
    prop_assert!(books.is_balanced());
    prop_assert!(books.entries().all(|entry| entry.currency.code() == currency));
    // What the accounts say is what the payment says.
    let held: i64 = payment.attempts.iter().map(|attempt| attempt.held()).sum();
    prop_assert_eq!(books.balance(&format!("9000:{PAYMENT}")), held);
    prop_assert_eq!(books.balance("9001"), -held);
    Ok(())
}

/// What a provider has, less what it owes back, is what the customer has paid, less fees.
fn agrees(books: &Books, payment: &Payment) -> Result<(), TestCaseError> {
    let (provider, fees) = (books.balance("1000:stripe"), books.balance("5000:stripe"));
    let customer = books.balance(&format!("1100:{ORDER}"));
    prop_assert_eq!(provider + fees, -customer);
    prop_assert!(-customer >= books.left() && -customer <= payment.captured());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn the_rules_hold_whatever_happens(code in "JPY|USD|KWD", steps in prop::collection::vec(step(), 0..30)) {
        let money = Money { amount: 1_000, currency: currency(&code) };
        let mut books = Books::default();
        books.pay(PaymentCommand::Create(new(Card, money))).expect("created");
        for step in steps {
            take(&mut books, money, step);
            holds(&books, &code)?;
            let payment = books.payment.clone().expect("it was created");
            agrees(&books, &payment)?;
        }
    }

    #[test]
    fn the_same_said_again_changes_nothing(status in status(), captured in 0_i64..1_200) {
        let money = Money { amount: 1_000, currency: currency("USD") };
        let mut books = Books::default();
        books.pay(PaymentCommand::Create(new(Card, money))).expect("created");
        books.pay(PaymentCommand::Begin { attempt: 1 }).expect("begun");
        let says = PaymentCommand::Observe(seen(1, money, status, captured));
        books.pay(says.clone()).expect("taken in");
        prop_assert_eq!(books.pay(says), Ok(vec![]));
    }
}
