//! What is posted for which event.

use super::{Account, Posting};
use schemas::{
    Uuid,
    events::{
        PaymentsEvent,
        payments::{
            CaptureSource, CashRemitted, FeeCharged, LedgerEntry, PaymentAuthorized, PaymentCaptured, RefundFailed,
            Side,
        },
    },
    money::Money,
};

/// The bank account that carriers hand cash over to, and refunds of cash are sent from.
const BANK: &str = "main";

/// What is posted for an event; nothing for most.
#[must_use]
pub fn postings(event: &PaymentsEvent) -> Vec<Posting> {
    let cause = event.event_type();
    match event {
        PaymentsEvent::PaymentAuthorized(event) => authorized(event, cause),
        PaymentsEvent::AuthorizationExpired(event) => released(cause, event.payment_id, event.attempt, event.money),
        PaymentsEvent::PaymentVoided(event) => released(cause, event.payment_id, event.attempt, event.money),
        PaymentsEvent::PaymentCaptured(event) => captured(event, cause),
        PaymentsEvent::FeeCharged(event) => fee(event, cause),
        PaymentsEvent::CashRemitted(event) => remitted(event, cause),
        PaymentsEvent::RefundSubmitted(event) => {
            let (from, money) = (asset(event.source, &event.account), event.money);
            refunded(cause, event.refund_id, event.payment_id, event.order_id, from, money)
        }
        // It was posted when it was submitted, under the same key.
        PaymentsEvent::RefundSucceeded(event) => {
            let (from, money) = (asset(event.source, &event.account), event.money);
            refunded(cause, event.refund_id, event.payment_id, event.order_id, from, money)
        }
        PaymentsEvent::RefundFailed(event) => refund_failed(event, cause),
        PaymentsEvent::ProviderAccountSet(_)
        | PaymentsEvent::PaymentCreated(_)
        | PaymentsEvent::PaymentPending(_)
        | PaymentsEvent::PaymentActionRequired(_)
        | PaymentsEvent::PaymentFailed(_)
        | PaymentsEvent::TransferEntered(_)
        | PaymentsEvent::TransferApproved(_)
        | PaymentsEvent::PaymentMismatchFound(_)
        | PaymentsEvent::RefundRequested(_)
        | PaymentsEvent::LedgerTransactionPosted(_) => Vec::new(),
    }
}

fn entry(side: Side, account: Account<'_>, amount: i64, money: Money) -> LedgerEntry {
    LedgerEntry { account: account.to_string(), side, amount, currency: money.currency }
}

/// Two entries of the whole sum.
fn pair(debit: Account<'_>, credit: Account<'_>, amount: i64, money: Money) -> Vec<LedgerEntry> {
    vec![entry(Side::Debit, debit, amount, money), entry(Side::Credit, credit, amount, money)]
}

fn authorized(event: &PaymentAuthorized, cause: &'static str) -> Vec<Posting> {
    let PaymentAuthorized { payment_id, attempt, money, .. } = event;
    vec![Posting {
        key: format!("{payment_id}:{attempt}:authorized"),
        kind: "authorized",
        cause,
        payment_id: Some(*payment_id),
        entries: pair(Account::Holds(*payment_id), Account::HoldsContra, money.amount, *money),
    }]
}

/// What was held is let go of. Where nothing was, nothing is posted.
fn released(cause: &'static str, payment_id: Uuid, attempt: u32, money: Money) -> Vec<Posting> {
    if money.amount == 0 {
        return Vec::new();
    }
    vec![Posting {
        key: format!("{payment_id}:{attempt}:void"),
        kind: "released",
        cause,
        payment_id: Some(payment_id),
        entries: pair(Account::HoldsContra, Account::Holds(payment_id), money.amount, money),
    }]
}

fn captured(event: &PaymentCaptured, cause: &'static str) -> Vec<Posting> {
    let PaymentCaptured { payment_id, order_id, source, account, money, from_hold, released: rest, .. } = event;
    let (kind, asset) = match source {
        CaptureSource::Provider => ("captured", Account::Provider(account)),
        CaptureSource::Transfer => ("transferred", Account::Bank(account)),
        CaptureSource::Cash => ("collected", Account::CarrierCash(account)),
    };
    let mut entries = pair(asset, Account::Customer(*order_id), money.amount, *money);
    if *from_hold > 0 {
        entries.extend(pair(Account::HoldsContra, Account::Holds(*payment_id), *from_hold, *money));
    }
    let key = event.capture_id.clone();
    let mut all = vec![Posting { key, kind, cause, payment_id: Some(*payment_id), entries }];
    let rest = Money { amount: *rest, ..*money };
    all.extend(released(cause, *payment_id, event.attempt.unwrap_or_default(), rest));
    all
}

fn fee(event: &FeeCharged, cause: &'static str) -> Vec<Posting> {
    let FeeCharged { payment_id, account, transaction, money } = event;
    vec![Posting {
        key: transaction.clone(),
        kind: "fee",
        cause,
        payment_id: Some(*payment_id),
        entries: pair(Account::Fees(account), Account::Provider(account), money.amount, *money),
    }]
}

fn remitted(event: &CashRemitted, cause: &'static str) -> Vec<Posting> {
    let CashRemitted { payment_id, capture_id, carrier, money, kept } = event;
    let rest = money.amount.saturating_sub(*kept);
    let mut entries = vec![entry(Side::Credit, Account::CarrierCash(carrier), money.amount, *money)];
    for (account, amount) in [(Account::Bank(BANK), rest), (Account::Fees(carrier), *kept)] {
        entries.extend((amount > 0).then(|| entry(Side::Debit, account, amount, *money)));
    }
    let key = format!("{capture_id}:remitted");
    vec![Posting { key, kind: "remitted", cause, payment_id: Some(*payment_id), entries }]
}

/// From where money goes back.
const fn asset(source: CaptureSource, account: &str) -> Account<'_> {
    match source {
        CaptureSource::Provider => Account::Provider(account),
        CaptureSource::Transfer => Account::Bank(account),
        // Nobody sends cash back.
        CaptureSource::Cash => Account::Bank(BANK),
    }
}

fn refunded(
    cause: &'static str,
    refund_id: Uuid,
    payment_id: Uuid,
    order_id: Uuid,
    from: Account<'_>,
    money: Money,
) -> Vec<Posting> {
    vec![Posting {
        key: refund_id.to_string(),
        kind: "refunded",
        cause,
        payment_id: Some(payment_id),
        entries: pair(Account::Customer(order_id), from, money.amount, money),
    }]
}

fn refund_failed(event: &RefundFailed, cause: &'static str) -> Vec<Posting> {
    let RefundFailed { refund_id, payment_id, order_id, source, account, money, was_submitted, .. } = event;
    if !was_submitted {
        return Vec::new();
    }
    vec![Posting {
        key: format!("{refund_id}:failed"),
        kind: "refund_failed",
        cause,
        payment_id: Some(*payment_id),
        entries: pair(asset(*source, account), Account::Customer(*order_id), money.amount, *money),
    }]
}
