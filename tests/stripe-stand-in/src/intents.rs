//! Payment intents and refunds, as far as they are kept.

use super::now;
use serde_json::{Value, json};
use std::collections::HashMap;

/// A payment intent.
pub(super) struct Intent {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) status: &'static str,
    pub(super) received: i64,
    pub(super) refunded: i64,
    pub(super) metadata: HashMap<String, String>,
    pub(super) created: i64,
    /// Why the last card was declined.
    declined: Option<String>,
    /// What Stripe keeps, and what it calls that.
    fee: Option<(String, i64)>,
}

impl Intent {
    pub(super) fn new(id: &str, amount: i64, currency: &str, metadata: HashMap<String, String>) -> Self {
        Self {
            id: id.to_owned(),
            amount,
            currency: currency.to_owned(),
            status: "requires_payment_method",
            received: 0,
            refunded: 0,
            metadata,
            created: now().timestamp(),
            declined: None,
            fee: None,
        }
    }

    pub(super) fn hold(&mut self) {
        (self.status, self.declined) = ("requires_capture", None);
    }

    pub(super) fn ask(&mut self) {
        self.status = "requires_action";
    }

    pub(super) fn decline(&mut self, code: &str) {
        (self.status, self.declined) = ("requires_payment_method", Some(code.to_owned()));
    }

    /// Takes a part; the rest is let go of. It keeps 2.9 % and 30.
    pub(super) fn capture(&mut self, amount: i64, transaction: &str) {
        (self.status, self.received) = ("succeeded", amount);
        self.fee = Some((transaction.to_owned(), (amount * 29 + 500) / 1_000 + 30));
    }

    pub(super) fn cancel(&mut self) {
        self.status = "canceled";
    }

    /// The event that tells of its status.
    pub(super) fn event(&self) -> &'static str {
        match self.status {
            "requires_capture" => "payment_intent.amount_capturable_updated",
            "succeeded" => "payment_intent.succeeded",
            "canceled" => "payment_intent.canceled",
            "requires_action" => "payment_intent.requires_action",
            _ => "payment_intent.payment_failed",
        }
    }

    fn charge_id(&self) -> String {
        self.id.replace("pi_", "ch_")
    }

    /// The charge, with what Stripe keeps of it.
    pub(super) fn charge_json(&self) -> Value {
        let transaction = self.fee.as_ref().map(|(id, fee)| json!({"id": id, "fee": fee, "currency": self.currency}));
        json!({
            "id": self.charge_id(),
            "object": "charge",
            "payment_intent": self.id,
            "amount": self.amount,
            "amount_captured": self.received,
            "amount_refunded": self.refunded,
            "currency": self.currency,
            "balance_transaction": transaction,
            "payment_method_details": {"type": "card", "card": {"capture_before": self.created + 604_800}},
        })
    }

    /// As it is answered; the charge whole, or by its id.
    pub(super) fn json(&self, is_expanded: bool) -> Value {
        let has_charge = matches!(self.status, "requires_capture" | "succeeded") || self.declined.is_some();
        let charge = if is_expanded { self.charge_json() } else { json!(self.charge_id()) };
        let redirect = json!({"type": "redirect_to_url", "redirect_to_url": {"url": "https://bank.example/ask"}});
        json!({
            "id": self.id,
            "object": "payment_intent",
            "amount": self.amount,
            "amount_capturable": if self.status == "requires_capture" { self.amount } else { 0 },
            "amount_received": self.received,
            "capture_method": "manual",
            "client_secret": format!("{}_secret_x", self.id),
            "created": self.created,
            "currency": self.currency,
            "last_payment_error": self.declined.as_ref().map(|code| json!({"type": "card_error", "code": "card_declined", "decline_code": code})),
            "latest_charge": if has_charge { charge } else { Value::Null },
            "metadata": self.metadata,
            "next_action": if self.status == "requires_action" { redirect } else { Value::Null },
            "status": self.status,
        })
    }
}

/// A refund.
pub(super) struct Refund {
    id: String,
    pub(super) intent: String,
    amount: i64,
    metadata: HashMap<String, String>,
}

impl Refund {
    pub(super) fn new(id: &str, intent: &str, amount: i64, metadata: HashMap<String, String>) -> Self {
        Self { id: id.to_owned(), intent: intent.to_owned(), amount, metadata }
    }

    pub(super) fn json(&self, currency: &str) -> Value {
        json!({
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "currency": currency,
            "metadata": self.metadata,
            "payment_intent": self.intent,
            "status": "succeeded",
        })
    }
}
