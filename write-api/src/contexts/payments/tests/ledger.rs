//! What is posted for which event, by the account plan of docs/guides/payments.md.

use super::{Books, ORDER, PAYMENT, currency, late_refund, new, plain, seen, usd};
use crate::{
    contexts::payments::domain::{
        LedgerTransaction, PaymentCommand, RefundCommand,
        ledger::{Account, Posting, Rejection, is_balanced, postings},
        payment::ObservedStatus,
    },
    domain::scenario::Scenario,
};
use schemas::{
    Uuid,
    events::{
        PaymentsEvent,
        payments::{
            AuthorizationExpired, CaptureSource, CashRemitted, FeeCharged, LedgerEntry, PaymentAuthorized,
            PaymentCaptured, PaymentVoided, RefundFailed, RefundRequested, RefundSubmitted, RefundSucceeded,
            Side::{self, Credit, Debit},
        },
        settings::PaymentMethod::Card,
    },
};

fn captured(source: CaptureSource, account: &str, from_hold: i64, released: i64) -> PaymentsEvent {
    PaymentsEvent::PaymentCaptured(PaymentCaptured {
        payment_id: PAYMENT,
        order_id: ORDER,
        capture_id: "capture-1".to_owned(),
        source,
        account: account.to_owned(),
        money: usd(8_000),
        from_hold,
        released,
        attempt: Some(1),
    })
}

/// An event with its entries: account, side and amount.
type Planned = (PaymentsEvent, Vec<(&'static str, Side, i64)>);

/// The same events as the plan's table, with a row each.
fn rows() -> Vec<Planned> {
    let (payment_id, order_id, attempt) = (PAYMENT, ORDER, 1);
    let reference = "pi_1".to_owned();
    let RefundRequested { refund_id, source, account, money, .. } = late_refund(9, usd(4_200));
    let held = PaymentAuthorized { payment_id, attempt, reference, money: usd(10_000), until: None };
    let voided = |amount| PaymentVoided { payment_id, attempt, money: usd(amount), gives_back: false };
    let fee = FeeCharged { payment_id, account: "stripe".to_owned(), transaction: "txn_1".to_owned(), money: usd(351) };
    let remitted = |kept| CashRemitted {
        payment_id,
        capture_id: "capture-1".to_owned(),
        carrier: "post".to_owned(),
        money: usd(8_000),
        kept,
    };
    let submitted = RefundSubmitted {
        refund_id,
        payment_id,
        order_id,
        source,
        account: account.clone(),
        money,
        reference: "re_1".to_owned(),
    };
    let succeeded = RefundSucceeded { refund_id, payment_id, order_id, source, account: account.clone(), money };
    let failed = |was_submitted| RefundFailed {
        refund_id,
        payment_id,
        order_id,
        source,
        account: account.clone(),
        money,
        was_submitted,
        reason: "x".to_owned(),
    };
    vec![
        (PaymentsEvent::PaymentAuthorized(held), vec![("9000", Debit, 10_000), ("9001", Credit, 10_000)]),
        (PaymentsEvent::PaymentVoided(voided(10_000)), vec![("9000", Credit, 10_000), ("9001", Debit, 10_000)]),
        (PaymentsEvent::PaymentVoided(voided(0)), vec![]),
        (
            PaymentsEvent::AuthorizationExpired(AuthorizationExpired { payment_id, attempt, money: usd(10_000) }),
            vec![("9000", Credit, 10_000), ("9001", Debit, 10_000)],
        ),
        (
            captured(CaptureSource::Provider, "stripe", 8_000, 2_000),
            vec![
                ("1000", Debit, 8_000),
                ("1100", Credit, 8_000),
                ("9000", Credit, 2_000),
                ("9000", Credit, 8_000),
                ("9001", Debit, 2_000),
                ("9001", Debit, 8_000),
            ],
        ),
        (captured(CaptureSource::Transfer, "main", 0, 0), vec![("1010", Debit, 8_000), ("1100", Credit, 8_000)]),
        (captured(CaptureSource::Cash, "post", 0, 0), vec![("1020", Debit, 8_000), ("1100", Credit, 8_000)]),
        (PaymentsEvent::FeeCharged(fee), vec![("1000", Credit, 351), ("5000", Debit, 351)]),
        (
            PaymentsEvent::CashRemitted(remitted(150)),
            vec![("1010", Debit, 7_850), ("1020", Credit, 8_000), ("5000", Debit, 150)],
        ),
        (PaymentsEvent::CashRemitted(remitted(0)), vec![("1010", Debit, 8_000), ("1020", Credit, 8_000)]),
        (PaymentsEvent::CashRemitted(remitted(8_000)), vec![("1020", Credit, 8_000), ("5000", Debit, 8_000)]),
        (PaymentsEvent::RefundRequested(late_refund(9, usd(4_200))), vec![]),
        (PaymentsEvent::RefundSubmitted(submitted), vec![("1000", Credit, 4_200), ("1100", Debit, 4_200)]),
        (PaymentsEvent::RefundSucceeded(succeeded), vec![("1000", Credit, 4_200), ("1100", Debit, 4_200)]),
        (PaymentsEvent::RefundFailed(failed(true)), vec![("1000", Debit, 4_200), ("1100", Credit, 4_200)]),
        (PaymentsEvent::RefundFailed(failed(false)), vec![]),
    ]
}

#[test]
fn each_event_is_posted_as_the_plan_has_it() {
    for (event, expected) in rows() {
        let posted = postings(&event);
        let mut expected: Vec<_> =
            expected.into_iter().map(|(account, side, amount)| (account.to_owned(), side, amount)).collect();
        expected.sort();
        assert_eq!(plain(&posted), expected, "{event:?}");
        assert!(posted.iter().all(|posting| is_balanced(&posting.entries)), "{event:?}");
        assert!(posted.iter().all(|posting| posting.cause == event.event_type()), "{event:?}");
    }
}

fn entry(side: Side, account: &Account<'_>, amount: i64) -> LedgerEntry {
    LedgerEntry { account: account.to_string(), side, amount, currency: currency("USD") }
}

fn posting(key: &str, entries: Vec<LedgerEntry>) -> Posting {
    Posting { key: key.to_owned(), kind: "captured", cause: "x", payment_id: None, entries }
}

#[test]
fn a_key_is_posted_once_and_only_if_it_is_balanced() {
    let (bank, order) = (Account::Bank("main"), Account::Customer(ORDER));
    let both = |amount| vec![entry(Debit, &bank, amount), entry(Credit, &order, amount)];
    let command = |entries| posting("k", entries).posted(Uuid::nil());
    let posted = || PaymentsEvent::LedgerTransactionPosted(command(both(5)));
    Scenario::<LedgerTransaction>::given([]).when(command(both(5))).then([posted()]);
    let turned: Vec<_> = both(5).into_iter().rev().collect();
    Scenario::<LedgerTransaction>::given([posted()]).when(command(turned)).then_nothing();
    let taken = Rejection::KeyTaken { key: "k".to_owned() };
    Scenario::<LedgerTransaction>::given([posted()]).when(command(both(6))).then_rejected(taken);
    let euros = LedgerEntry { currency: currency("EUR"), ..entry(Credit, &order, 5) };
    for wrong in [
        vec![],
        vec![entry(Debit, &bank, 5)],
        vec![entry(Debit, &bank, 5), entry(Credit, &order, 4)],
        vec![entry(Debit, &bank, 5), euros],
        both(0),
        both(-5),
    ] {
        let unbalanced = Rejection::Unbalanced { key: "k".to_owned() };
        Scenario::<LedgerTransaction>::given([]).when(command(wrong)).then_rejected(unbalanced);
    }
    let most = i64::MAX;
    let large = vec![
        entry(Debit, &bank, most),
        entry(Debit, &bank, most),
        entry(Credit, &order, most),
        entry(Credit, &order, most),
    ];
    assert!(is_balanced(&large), "no sum overflows");
}

#[test]
fn the_worked_example_leaves_what_it_says() {
    let mut books = Books::default();
    let money = usd(11_056);
    books.pay(PaymentCommand::Create(new(Card, money))).expect("created");
    books.pay(PaymentCommand::Begin { attempt: 1 }).expect("begun");
    let mut observed = seen(1, money, ObservedStatus::Captured, 11_056);
    observed.fee = Some(("txn_1".to_owned(), usd(351)));
    books.pay(PaymentCommand::Observe(observed)).expect("captured");
    let refund = late_refund(9, usd(1_552));
    let id = refund.refund_id;
    books.refund(id, RefundCommand::Request { requested: refund, left: books.left() }).expect("asked for");
    books.refund(id, RefundCommand::Succeed { reference: "re_1".to_owned() }).expect("back");
    // The invoice and the credit note come from elsewhere: net goods 96.20 (a discount of 12.30 on it), shipping 4.54, tax 9.82; and
    // net 14.11 with tax 1.41 of one unit.
    let order = Account::Customer(ORDER).to_string();
    let of = |account: &str, side, amount| LedgerEntry {
        account: account.to_owned(),
        side,
        amount,
        currency: currency("USD"),
    };
    let invoice = vec![
        of(&order, Debit, 11_056),
        of("4010", Debit, 1_230),
        of("4000", Credit, 10_850),
        of("4100", Credit, 454),
        of("2100:10", Credit, 883),
        of("2100:8", Credit, 99),
    ];
    let note = vec![of("4090", Debit, 1_411), of("2100:10", Debit, 141), of(&order, Credit, 1_552)];
    for (key, entries) in [("invoice", invoice), ("credit-note", note)] {
        assert!(is_balanced(&entries), "{key}");
        let transaction = LedgerTransaction { posted: posting(key, entries).posted(Uuid::nil()) };
        books.ledger.insert(key.to_owned(), transaction);
    }
    assert_eq!((books.balance("1000:stripe"), books.balance(&order)), (9_153, 0));
    assert_eq!((books.balance("5000:stripe"), books.balance("9001")), (351, 0));
}
