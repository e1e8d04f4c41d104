//! A payment, from its creation to its end.

use super::{Books, ORDER, PAYMENT, PROOF, created, currency, late_refund, new, seen, transfer, usd};
use crate::{
    contexts::payments::domain::{
        Payment, PaymentCommand, RefundCommand,
        payment::{
            ObservedStatus, Rejection, Status,
            policy::{Settlement, no_more_is_captured_than_is_held, the_difference_is_settled},
        },
    },
    domain::scenario::Scenario,
};
use schemas::{
    events::{
        PaymentsEvent,
        payments::{
            ActionKind, AuthorizationExpired, CaptureSource, CashRemitted, FeeCharged, Mismatch, PaymentActionRequired,
            PaymentAuthorized, PaymentCaptured, PaymentFailed, PaymentMismatchFound, PaymentPending, PaymentVoided,
            TransferApproved,
        },
        settings::PaymentMethod::{Card, CashOnDelivery, Transfer},
    },
    money::Money,
};

fn pending(attempt: u32) -> PaymentsEvent {
    PaymentsEvent::PaymentPending(PaymentPending { payment_id: PAYMENT, attempt })
}

fn authorized(attempt: u32, amount: i64) -> PaymentsEvent {
    let (reference, money) = (format!("pi_{attempt}"), usd(amount));
    PaymentsEvent::PaymentAuthorized(PaymentAuthorized { payment_id: PAYMENT, attempt, reference, money, until: None })
}

fn failed(attempt: u32, reason: &str) -> PaymentsEvent {
    let (reason, reference) = (reason.to_owned(), Some(format!("pi_{attempt}")));
    PaymentsEvent::PaymentFailed(PaymentFailed { payment_id: PAYMENT, attempt, reason, reference })
}

fn captured(attempt: u32, amount: i64, released: i64) -> PaymentsEvent {
    PaymentsEvent::PaymentCaptured(PaymentCaptured {
        payment_id: PAYMENT,
        order_id: ORDER,
        capture_id: format!("{PAYMENT}:{attempt}:capture"),
        source: CaptureSource::Provider,
        account: "stripe".to_owned(),
        money: usd(amount),
        from_hold: amount,
        released,
        attempt: Some(attempt),
    })
}

fn voided(attempt: u32, amount: i64) -> PaymentsEvent {
    let money = usd(amount);
    PaymentsEvent::PaymentVoided(PaymentVoided { payment_id: PAYMENT, attempt, money, gives_back: true })
}

fn begun(attempt: u32) -> PaymentCommand {
    PaymentCommand::Begin { attempt }
}

fn observe(attempt: u32, status: ObservedStatus, captured: i64) -> PaymentCommand {
    PaymentCommand::Observe(seen(attempt, usd(10_000), status, captured))
}

const HELD: ObservedStatus = ObservedStatus::Authorized { until: None };
const VOID: PaymentCommand = PaymentCommand::Void { gives_back: true };

fn card() -> PaymentsEvent {
    created(Card, usd(10_000))
}

#[test]
fn a_payment_is_created_once_and_keeps_its_currency() {
    let create = |money| PaymentCommand::Create(new(Card, money));
    Scenario::<Payment>::given([]).when(create(usd(10_000))).then([card()]);
    Scenario::<Payment>::given([card()]).when(create(usd(10_000))).then_nothing();
    Scenario::<Payment>::given([card()]).when(create(usd(9_999))).then_rejected(Rejection::Exists);
    let other = Money { amount: 10_000, currency: currency("EUR") };
    Scenario::<Payment>::given([card()]).when(create(other)).then_rejected(Rejection::Exists);
    for amount in [0, -1, i64::MAX] {
        let most = 1_000_000_000_000;
        Scenario::<Payment>::given([]).when(create(usd(amount))).then_rejected(Rejection::Amount { most });
    }
    Scenario::<Payment>::given([]).when(begun(1)).then_rejected(Rejection::Missing);
}

#[test]
fn an_attempt_follows_only_one_that_has_failed() {
    Scenario::<Payment>::given([card()]).when(begun(1)).then([pending(1)]);
    Scenario::<Payment>::given([card(), pending(1)]).when(begun(1)).then_nothing();
    Scenario::<Payment>::given([card()]).when(begun(2)).then_rejected(Rejection::Number { next: 1 });
    Scenario::<Payment>::given([card(), pending(1)]).when(begun(2)).then_rejected(Rejection::Open { number: 1 });
    let declined = [card(), pending(1), failed(1, "card_declined")];
    Scenario::<Payment>::given(declined.clone()).when(begun(2)).then([pending(2)]);
    Scenario::<Payment>::given(declined).when(begun(3)).then_rejected(Rejection::Number { next: 2 });
    let held = [card(), pending(1), authorized(1, 10_000)];
    Scenario::<Payment>::given(held.clone()).when(begun(2)).then_rejected(Rejection::Open { number: 1 });
    let taken = [&held[..], &[captured(1, 10_000, 0)]].concat();
    let status = Status::Captured;
    Scenario::<Payment>::given(taken).when(begun(2)).then_rejected(Rejection::Status { status });
    Scenario::<Payment>::given([created(Transfer, usd(1))]).when(begun(1)).then_rejected(Rejection::Method);
}

#[test]
fn what_the_provider_says_becomes_what_happened() {
    let given = || [card(), pending(1)];
    let action = PaymentsEvent::PaymentActionRequired(PaymentActionRequired {
        payment_id: PAYMENT,
        attempt: 1,
        reference: "pi_1".to_owned(),
        action: ActionKind::Redirect,
    });
    let redirect = ObservedStatus::ActionRequired(ActionKind::Redirect);
    Scenario::<Payment>::given(given()).when(observe(1, ObservedStatus::Pending, 0)).then_nothing();
    Scenario::<Payment>::given(given()).when(observe(1, redirect.clone(), 0)).then([action.clone()]);
    Scenario::<Payment>::given(given()).when(observe(1, HELD, 0)).then([authorized(1, 10_000)]);
    let declined = ObservedStatus::Failed { reason: "card_declined".to_owned() };
    Scenario::<Payment>::given(given()).when(observe(1, declined.clone(), 0)).then([failed(1, "card_declined")]);
    Scenario::<Payment>::given(given()).when(observe(1, ObservedStatus::Canceled, 0)).then([failed(1, "canceled")]);
    // Whoever notices it last notices all of it.
    let all = [authorized(1, 10_000), captured(1, 8_000, 2_000)];
    Scenario::<Payment>::given(given()).when(observe(1, ObservedStatus::Captured, 8_000)).then(all.clone());
    // The same twice, or what was so before, changes nothing.
    let known: Vec<_> = given().into_iter().chain([action]).chain(all).collect();
    for earlier in [redirect, HELD, declined, ObservedStatus::Pending] {
        Scenario::<Payment>::given(known.clone()).when(observe(1, earlier, 8_000)).then_nothing();
    }
    Scenario::<Payment>::given(known).when(observe(1, ObservedStatus::Captured, 8_000)).then_nothing();
    Scenario::<Payment>::given(given()).when(observe(2, HELD, 0)).then_rejected(Rejection::Number { next: 2 });
}

#[test]
fn a_hold_ends_by_itself_or_by_the_shop() {
    let held = || [card(), pending(1), authorized(1, 10_000)];
    let expired = PaymentsEvent::AuthorizationExpired(AuthorizationExpired {
        payment_id: PAYMENT,
        attempt: 1,
        money: usd(10_000),
    });
    Scenario::<Payment>::given(held()).when(observe(1, ObservedStatus::Canceled, 0)).then([expired.clone()]);
    let over: Vec<_> = held().into_iter().chain([expired]).collect();
    Scenario::<Payment>::given(over.clone()).when(begun(2)).then([pending(2)]);
    Scenario::<Payment>::given(over).when(VOID).then([voided(1, 0)]);
    Scenario::<Payment>::given(held()).when(VOID).then([voided(1, 10_000)]);
    let ended: Vec<_> = held().into_iter().chain([voided(1, 10_000)]).collect();
    Scenario::<Payment>::given(ended.clone()).when(VOID).then_nothing();
    Scenario::<Payment>::given(ended.clone()).when(observe(1, ObservedStatus::Canceled, 0)).then_nothing();
    let status = Status::Voided;
    Scenario::<Payment>::given(ended).when(begun(2)).then_rejected(Rejection::Status { status });
    let taken: Vec<_> = held().into_iter().chain([captured(1, 10_000, 0)]).collect();
    let status = Status::Captured;
    Scenario::<Payment>::given(taken).when(VOID).then_rejected(Rejection::Status { status });
    Scenario::<Payment>::given([card()]).when(VOID).then([voided(0, 0)]);
}

#[test]
fn a_difference_to_the_provider_is_told_once_and_changes_nothing() {
    let mismatch = |what, ours, theirs| {
        let (reference, ours, theirs) = ("pi_1".to_owned(), usd(ours), usd(theirs));
        let found = PaymentMismatchFound { payment_id: PAYMENT, reference, what, ours, theirs };
        PaymentsEvent::PaymentMismatchFound(found)
    };
    let given = [card(), pending(1), authorized(1, 10_000), captured(1, 8_000, 2_000)];
    let less = mismatch(Mismatch::Captured, 8_000, 7_000);
    let observe_less = || observe(1, ObservedStatus::Captured, 7_000);
    Scenario::<Payment>::given(given.clone()).when(observe_less()).then([less.clone()]);
    let told = [&given[..], &[less]].concat();
    Scenario::<Payment>::given(told).when(observe_less()).then_nothing();
    // What was let go of can't have been taken.
    let more = mismatch(Mismatch::Captured, 8_000, 9_000);
    Scenario::<Payment>::given(given).when(observe(1, ObservedStatus::Captured, 9_000)).then([more]);
    let other = PaymentCommand::Observe(seen(1, usd(500), HELD, 0));
    let amount = mismatch(Mismatch::Amount, 10_000, 500);
    Scenario::<Payment>::given([card(), pending(1)]).when(other).then([amount]);
}

#[test]
fn a_fee_is_known_once() {
    let charged = PaymentsEvent::FeeCharged(FeeCharged {
        payment_id: PAYMENT,
        account: "stripe".to_owned(),
        transaction: "txn_1".to_owned(),
        money: usd(351),
    });
    let given = [card(), pending(1), authorized(1, 10_000), captured(1, 10_000, 0)];
    let mut observed = seen(1, usd(10_000), ObservedStatus::Captured, 10_000);
    observed.fee = Some(("txn_1".to_owned(), usd(351)));
    let command = || PaymentCommand::Observe(observed.clone());
    Scenario::<Payment>::given(given.clone()).when(command()).then([charged.clone()]);
    Scenario::<Payment>::given([&given[..], &[charged]].concat()).when(command()).then_nothing();
}

#[test]
fn who_entered_a_transfer_does_not_approve_it() {
    let asked = created(Transfer, usd(10_000));
    let entered = PaymentsEvent::TransferEntered(transfer(10_000, "key:1"));
    let enter = |amount, by| PaymentCommand::EnterTransfer(transfer(amount, by));
    let approve = |by: &str| PaymentCommand::ApproveTransfer { proof_id: PROOF, by: by.to_owned() };
    Scenario::<Payment>::given([asked.clone()]).when(enter(10_000, "key:1")).then([entered.clone()]);
    Scenario::<Payment>::given([asked.clone(), entered.clone()]).when(enter(10_000, "key:2")).then_nothing();
    let again = Scenario::<Payment>::given([asked.clone(), entered.clone()]).when(enter(9_000, "key:1"));
    again.then_rejected(Rejection::TransferExists);
    let own = Scenario::<Payment>::given([asked.clone(), entered.clone()]).when(approve("key:1"));
    own.then_rejected(Rejection::OwnTransfer);
    let approved = [
        PaymentsEvent::TransferApproved(TransferApproved {
            payment_id: PAYMENT,
            proof_id: PROOF,
            approved_by: "key:2".to_owned(),
        }),
        PaymentsEvent::PaymentCaptured(PaymentCaptured {
            payment_id: PAYMENT,
            order_id: ORDER,
            capture_id: PROOF.to_string(),
            source: CaptureSource::Transfer,
            account: "main".to_owned(),
            money: usd(10_000),
            from_hold: 0,
            released: 0,
            attempt: None,
        }),
    ];
    Scenario::<Payment>::given([asked.clone(), entered.clone()]).when(approve("key:2")).then(approved.clone());
    let done = [&[asked.clone(), entered][..], &approved].concat();
    Scenario::<Payment>::given(done).when(approve("key:3")).then_nothing();
    Scenario::<Payment>::given([asked]).when(approve("key:2")).then_rejected(Rejection::NoTransfer);
    Scenario::<Payment>::given([card()]).when(enter(1, "key:1")).then_rejected(Rejection::Method);
}

#[test]
fn cash_is_collected_and_handed_over_once() {
    let asked = created(CashOnDelivery, usd(10_000));
    let collect = |amount| PaymentCommand::CollectCash {
        capture_id: "shipment-1".to_owned(),
        carrier: "post".to_owned(),
        amount,
    };
    let remit = |kept| PaymentCommand::RemitCash { capture_id: "shipment-1".to_owned(), kept };
    let collected = PaymentsEvent::PaymentCaptured(PaymentCaptured {
        payment_id: PAYMENT,
        order_id: ORDER,
        capture_id: "shipment-1".to_owned(),
        source: CaptureSource::Cash,
        account: "post".to_owned(),
        money: usd(10_000),
        from_hold: 0,
        released: 0,
        attempt: None,
    });
    let remitted = PaymentsEvent::CashRemitted(CashRemitted {
        payment_id: PAYMENT,
        capture_id: "shipment-1".to_owned(),
        carrier: "post".to_owned(),
        money: usd(10_000),
        kept: 150,
    });
    Scenario::<Payment>::given([asked.clone()]).when(collect(10_000)).then([collected.clone()]);
    let given = [asked.clone(), collected];
    Scenario::<Payment>::given(given.clone()).when(collect(10_000)).then_nothing();
    let other = Scenario::<Payment>::given(given.clone()).when(collect(9_000));
    other.then_rejected(Rejection::CapturedOther { captured: 10_000 });
    Scenario::<Payment>::given(given.clone()).when(remit(150)).then([remitted.clone()]);
    Scenario::<Payment>::given(given.clone()).when(remit(10_001)).then_rejected(Rejection::Amount { most: 10_000 });
    let over = [&given[..], &[remitted]].concat();
    Scenario::<Payment>::given(over.clone()).when(remit(150)).then_nothing();
    Scenario::<Payment>::given(over).when(remit(0)).then_rejected(Rejection::CapturedOther { captured: 10_000 });
    Scenario::<Payment>::given([asked]).when(remit(0)).then_rejected(Rejection::NoCash);
}

#[test]
fn the_rest_of_a_hold_is_let_go_of_and_an_edit_asks_for_the_difference() {
    // M13
    let mut books = Books::default();
    books.pay(PaymentCommand::Create(new(Card, usd(10_000)))).expect("created");
    books.pay(begun(1)).expect("begun");
    books.pay(observe(1, HELD, 0)).expect("held");
    let payment = books.payment.clone().expect("a payment");
    assert_eq!(no_more_is_captured_than_is_held(&payment, 8_000).map(|held| held.is_some()), Ok(true));
    assert_eq!(no_more_is_captured_than_is_held(&payment, 10_001), Err(Rejection::TooMuch { held: 10_000 }));
    books.pay(observe(1, ObservedStatus::Captured, 8_000)).expect("captured");
    let payment = books.payment.clone().expect("a payment");
    let attempt = payment.current().expect("an attempt");
    assert_eq!((payment.captured(), attempt.released, attempt.held()), (8_000, 2_000, 0));
    assert_eq!(books.balance(&format!("9000:{PAYMENT}")), 0);
    // A second capture is the same, or refused.
    assert_eq!(no_more_is_captured_than_is_held(&payment, 8_000), Ok(None));
    let second = no_more_is_captured_than_is_held(&payment, 2_000);
    assert_eq!(second, Err(Rejection::CapturedOther { captured: 8_000 }));
    assert_eq!(the_difference_is_settled(9_500, payment.captured()), Settlement::Due(1_500));
    assert_eq!(the_difference_is_settled(7_000, payment.captured()), Settlement::Back(1_000));
    assert_eq!(the_difference_is_settled(8_000, payment.captured()), Settlement::Even);
}

#[test]
fn another_card_is_another_attempt_and_the_money_comes_once() {
    // M12
    let money = usd(1_099);
    let mut books = Books::default();
    books.pay(PaymentCommand::Create(new(Card, money))).expect("created");
    books.pay(begun(1)).expect("begun");
    let declined = ObservedStatus::Failed { reason: "card_declined".to_owned() };
    books.pay(PaymentCommand::Observe(seen(1, money, declined.clone(), 0))).expect("declined");
    books.pay(begun(2)).expect("another card");
    assert!(books.pay(begun(3)).is_err(), "what came of the second is not known");
    // The decline of the first comes once more, late.
    assert_eq!(books.pay(PaymentCommand::Observe(seen(1, money, declined, 0))), Ok(vec![]));
    for _ in 0..2 {
        books.pay(PaymentCommand::Observe(seen(2, money, ObservedStatus::Captured, 1_099))).expect("captured");
    }
    assert_eq!(books.payment.as_ref().map(Payment::captured), Some(1_099));
    assert_eq!(books.balance("1000:stripe"), 1_099);
}

#[test]
fn an_attempt_that_is_certainly_absent_has_failed() {
    let absent = || PaymentCommand::Absent { attempt: 1, reason: "absent".to_owned() };
    let reference = None;
    let failed = PaymentsEvent::PaymentFailed(PaymentFailed {
        payment_id: PAYMENT,
        attempt: 1,
        reason: "absent".to_owned(),
        reference,
    });
    Scenario::<Payment>::given([card(), pending(1)]).when(absent()).then([failed.clone()]);
    Scenario::<Payment>::given([card(), pending(1), failed]).when(absent()).then_nothing();
    Scenario::<Payment>::given([card(), pending(1), authorized(1, 10_000)]).when(absent()).then_nothing();
}

#[test]
fn a_payment_that_comes_late_goes_back_and_its_fee_stays_a_cost() {
    // M11
    let money = usd(4_200);
    let mut books = Books::default();
    books.pay(PaymentCommand::Create(new(Card, money))).expect("created");
    books.pay(begun(1)).expect("begun");
    books.pay(VOID).expect("given up");
    let mut late = seen(1, money, ObservedStatus::Captured, 4_200);
    late.fee = Some(("txn_1".to_owned(), usd(152)));
    let happened = books.pay(PaymentCommand::Observe(late)).expect("never lost");
    assert_eq!(happened, ["payment.authorized", "payment.captured", "payment.fee_charged"]);
    let requested = late_refund(9, money);
    let id = requested.refund_id;
    books.refund(id, RefundCommand::Request { requested, left: books.left() }).expect("asked for");
    let reference = "re_1".to_owned();
    books.refund(id, RefundCommand::Succeed { reference }).expect("back");
    assert_eq!(books.balance(&format!("1100:{ORDER}")), 0);
    assert_eq!((books.balance("1000:stripe"), books.balance("5000:stripe")), (-152, 152));
    assert!(books.is_balanced());
}

#[test]
fn an_authorisation_that_comes_late_is_let_go_of() {
    // M11, where the money was only held.
    let money = usd(4_200);
    let mut books = Books::default();
    books.pay(PaymentCommand::Create(new(Card, money))).expect("created");
    books.pay(begun(1)).expect("begun");
    books.pay(VOID).expect("given up");
    books.pay(PaymentCommand::Observe(seen(1, money, HELD, 0))).expect("held");
    assert_eq!(books.balance(&format!("9000:{PAYMENT}")), 4_200);
    assert_eq!(books.pay(VOID), Ok(vec!["payment.voided"]));
    assert_eq!((books.balance(&format!("9000:{PAYMENT}")), books.balance("1000:stripe")), (0, 0));
}

#[test]
fn too_little_and_too_much_stay_with_the_order() {
    for (came, status, expected) in [(6_000, Status::PartlyCaptured, -6_000), (12_000, Status::Captured, -12_000)] {
        let mut books = Books::default();
        books.pay(PaymentCommand::Create(new(Transfer, usd(10_000)))).expect("created");
        books.pay(PaymentCommand::EnterTransfer(transfer(came, "key:1"))).expect("entered");
        let by = "key:2".to_owned();
        books.pay(PaymentCommand::ApproveTransfer { proof_id: PROOF, by }).expect("approved");
        assert_eq!(books.payment.as_ref().map(|payment| payment.status), Some(status));
        assert_eq!((books.balance("1010:main"), books.balance(&format!("1100:{ORDER}"))), (came, expected));
    }
}
