//! What payments decide, and what follows for the ledger, with the numbers of docs/guides/payments.md.

pub(in crate::contexts) mod diagrams;
mod ledger;
mod model;
mod payment;
mod refund;

use super::domain::{
    LedgerTransaction, Payment, PaymentCommand, Refund, RefundCommand,
    ledger::{Posting, is_balanced, postings},
    payment::{NewPayment, NewTransfer, Observed, ObservedStatus},
};
use crate::domain::Aggregate;
use schemas::{
    Uuid,
    events::{
        PaymentsEvent,
        payments::{CaptureSource, LedgerEntry, RefundRequested, Side},
        settings::PaymentMethod,
    },
    money::{Currency, Money},
};
use std::collections::BTreeMap;

const PAYMENT: Uuid = Uuid::from_u128(1);
const ORDER: Uuid = Uuid::from_u128(2);
const PROOF: Uuid = Uuid::from_u128(3);

fn currency(code: &str) -> Currency {
    code.parse().expect("a code")
}

fn usd(amount: i64) -> Money {
    Money { amount, currency: Currency::USD }
}

fn new(method: PaymentMethod, money: Money) -> NewPayment {
    let account = match method {
        PaymentMethod::Card => "stripe",
        PaymentMethod::Transfer => "main",
        PaymentMethod::CashOnDelivery => "cash",
    };
    let account = account.to_owned();
    NewPayment { payment_id: PAYMENT, order_id: ORDER, checkout_id: None, method, account, money }
}

fn created(method: PaymentMethod, money: Money) -> PaymentsEvent {
    PaymentsEvent::PaymentCreated(new(method, money))
}

/// What the provider says of an attempt.
fn seen(attempt: u32, money: Money, status: ObservedStatus, captured: i64) -> Observed {
    let is_final = matches!(status, ObservedStatus::Captured | ObservedStatus::Canceled);
    Observed { attempt, reference: format!("pi_{attempt}"), money, status, captured, is_final, fee: None }
}

fn transfer(amount: i64, by: &str) -> NewTransfer {
    let (reference, proof) = ("E2E-1".to_owned(), "statement 12, line 4".to_owned());
    NewTransfer {
        payment_id: PAYMENT,
        proof_id: PROOF,
        money: usd(amount),
        reference,
        proof,
        entered_by: by.to_owned(),
    }
}

fn late_refund(id: u128, money: Money) -> RefundRequested {
    RefundRequested {
        refund_id: Uuid::from_u128(id),
        payment_id: PAYMENT,
        order_id: ORDER,
        source: CaptureSource::Provider,
        account: "stripe".to_owned(),
        money,
        reason: "late".to_owned(),
    }
}

/// A payment with its refunds and the books, as the use cases keep them.
#[derive(Debug, Default)]
struct Books {
    payment: Option<Payment>,
    refunds: BTreeMap<Uuid, Refund>,
    ledger: BTreeMap<String, LedgerTransaction>,
}

impl Books {
    /// Carries a command out; gives the types of what happened, or the sentence of the rule that forbids it.
    fn pay(&mut self, command: PaymentCommand) -> Result<Vec<&'static str>, String> {
        let events = Payment::decide(self.payment.as_ref(), command).map_err(|rejection| rejection.to_string())?;
        for event in &events {
            self.payment = Payment::apply(self.payment.take(), event);
            self.post(event);
        }
        Ok(events.iter().map(short).collect())
    }

    fn refund(&mut self, id: Uuid, command: RefundCommand) -> Result<Vec<&'static str>, String> {
        let known = self.refunds.get(&id);
        let events = Refund::decide(known, command).map_err(|rejection| rejection.to_string())?;
        for event in &events {
            if let Some(refund) = Refund::apply(self.refunds.remove(&id), event) {
                self.refunds.insert(id, refund);
            }
            self.post(event);
        }
        Ok(events.iter().map(short).collect())
    }

    fn post(&mut self, event: &PaymentsEvent) {
        for posting in postings(event) {
            let key = posting.key.clone();
            let posted = posting.posted(Uuid::nil());
            let decided = LedgerTransaction::decide(self.ledger.get(&key), posted);
            for event in decided.expect("the key has no other entries") {
                if let Some(transaction) = LedgerTransaction::apply(None, &event) {
                    self.ledger.insert(key.clone(), transaction);
                }
            }
        }
    }

    fn entries(&self) -> impl Iterator<Item = &LedgerEntry> {
        self.ledger.values().flat_map(|transaction| &transaction.posted.entries)
    }

    /// Debits less credits of an account, in one currency.
    fn balance(&self, account: &str) -> i64 {
        self.entries().filter(|entry| entry.account == account).map(signed).sum()
    }

    fn taken(&self) -> i64 {
        self.refunds.values().map(Refund::takes).sum()
    }

    fn left(&self) -> i64 {
        self.payment.as_ref().map_or(0, Payment::captured) - self.taken()
    }

    fn is_balanced(&self) -> bool {
        self.ledger.values().all(|transaction| is_balanced(&transaction.posted.entries))
    }
}

fn signed(entry: &LedgerEntry) -> i64 {
    match entry.side {
        Side::Debit => entry.amount,
        Side::Credit => -entry.amount,
    }
}

/// What happened, without what all types have.
fn short(event: &PaymentsEvent) -> &'static str {
    let event_type = event.event_type();
    event_type.trim_start_matches("souk.payments.").trim_end_matches(".v1")
}

/// The entries of postings, as the plan's table has them: account without what it is of, debit or credit, amount.
fn plain(all: &[Posting]) -> Vec<(String, Side, i64)> {
    let number = |entry: &LedgerEntry| entry.account.split(':').next().unwrap_or_default().to_owned();
    let mut plain: Vec<_> = all
        .iter()
        .flat_map(|posting| &posting.entries)
        .map(|entry| (number(entry), entry.side, entry.amount))
        .collect();
    plain.sort();
    plain
}
