//! What Stripe's answers say, as far as they are read.

use super::units;
use crate::providers::{Action, Fee, Ours, ProviderError, RefundSnapshot, RefundStanding, Snapshot, Standing};
use schemas::{
    Timestamp, Uuid,
    money::{Currency, Money},
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

/// The longest word that is kept of a reason.
const LONGEST_WORD: usize = 64;

/// A payment intent.
#[derive(Deserialize)]
pub(super) struct Intent {
    pub(super) id: String,
    amount: i64,
    currency: String,
    status: String,
    #[serde(default)]
    amount_received: i64,
    #[serde(default)]
    client_secret: Option<String>,
    #[serde(default)]
    metadata: HashMap<String, String>,
    #[serde(default)]
    last_payment_error: Option<PaymentError>,
    #[serde(default)]
    next_action: Option<NextAction>,
    #[serde(default)]
    pub(super) latest_charge: Option<Charges>,
}

/// What an attempt to charge was told by.
#[derive(Deserialize)]
struct PaymentError {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    decline_code: Option<String>,
}

#[derive(Deserialize)]
struct NextAction {
    #[serde(default)]
    redirect_to_url: Option<RedirectTo>,
}

#[derive(Deserialize)]
struct RedirectTo {
    #[serde(default)]
    url: Option<String>,
}

/// A charge, or its id where it was not expanded.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Charges {
    Whole(Box<Charge>),
    Id(#[expect(dead_code, reason = "it is read so that the other form is told apart")] String),
}

#[derive(Deserialize)]
pub(super) struct Charge {
    #[serde(default)]
    pub(super) amount_refunded: i64,
    #[serde(default)]
    balance_transaction: Option<Value>,
    #[serde(default)]
    payment_method_details: Option<MethodDetails>,
}

#[derive(Deserialize)]
struct MethodDetails {
    #[serde(default)]
    card: Option<CardDetails>,
}

#[derive(Deserialize)]
struct CardDetails {
    #[serde(default)]
    capture_before: Option<i64>,
}

/// A movement of the balance, where it was expanded.
#[derive(Deserialize)]
struct BalanceTransaction {
    id: String,
    fee: i64,
    currency: String,
}

/// Money that goes back.
#[derive(Deserialize)]
pub(super) struct Refund {
    id: String,
    amount: i64,
    currency: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    failure_reason: Option<String>,
    #[serde(default)]
    metadata: HashMap<String, String>,
}

/// A page of a list.
#[derive(Deserialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
    #[serde(default)]
    pub(super) has_more: bool,
}

/// Why it did not do what it was asked for.
#[derive(Default, Deserialize)]
pub(super) struct Problem {
    #[serde(default)]
    pub(super) error: ProblemBody,
}

#[derive(Default, Deserialize)]
pub(super) struct ProblemBody {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    pub(super) payment_intent: Option<Value>,
}

impl Problem {
    /// Why, in a word.
    pub(super) fn code(&self) -> String {
        word(self.error.code.as_deref().or(self.error.kind.as_deref()))
    }
}

/// A word of the provider, if it is one: nothing else that it writes is kept.
fn word(text: Option<&str>) -> String {
    let is_word = |text: &&str| {
        (1..=LONGEST_WORD).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    text.filter(is_word).unwrap_or("other").to_owned()
}

fn money(amount: i64, currency: &str) -> Result<Money, ProviderError> {
    let unknown = || ProviderError::NotDone("it names an amount that can't be read".to_owned());
    let currency: Currency = currency.to_ascii_uppercase().parse().map_err(|_| unknown())?;
    units::ours(amount, currency).map_err(|_| unknown())
}

impl Intent {
    /// As the port has it.
    pub(super) fn snapshot(self, refunds: Vec<RefundSnapshot>) -> Result<Snapshot, ProviderError> {
        let sum = money(self.amount, &self.currency)?;
        let captured = money(self.amount_received, &self.currency)?.amount;
        let refunded = self.charge().map_or(0, |charge| charge.amount_refunded);
        let refunded = money(refunded, &self.currency)?.amount;
        let (standing, ours, fee) = (self.standing(), self.ours(), self.fee());
        let is_final = matches!(standing, Standing::Captured | Standing::Canceled);
        Ok(Snapshot { reference: self.id, ours, money: sum, standing, captured, is_final, refunded, refunds, fee })
    }

    fn ours(&self) -> Option<Ours> {
        let payment_id = Uuid::parse_str(self.metadata.get("payment_id")?).ok()?;
        Some(Ours { payment_id, attempt: self.metadata.get("attempt")?.parse().ok()? })
    }

    fn action(&self) -> Action {
        let redirect = self.next_action.as_ref().and_then(|next| next.redirect_to_url.as_ref()?.url.clone());
        match redirect {
            Some(url) => Action::Redirect { url },
            None => Action::Confirm { client_secret: self.client_secret.clone().unwrap_or_default() },
        }
    }

    fn standing(&self) -> Standing {
        match (self.status.as_str(), &self.last_payment_error) {
            ("requires_payment_method", Some(error)) => {
                let reason = error.decline_code.as_deref().or(error.code.as_deref());
                Standing::Failed { reason: word(reason) }
            }
            ("requires_payment_method" | "requires_confirmation" | "requires_action", _) => {
                Standing::ActionRequired(self.action())
            }
            ("requires_capture", _) => Standing::Authorized { until: self.until() },
            ("succeeded", _) => Standing::Captured,
            ("canceled", _) => Standing::Canceled,
            // `processing`, and what a later version may say.
            _ => Standing::Pending,
        }
    }

    fn charge(&self) -> Option<&Charge> {
        match self.latest_charge.as_ref()? {
            Charges::Whole(charge) => Some(charge),
            Charges::Id(_) => None,
        }
    }

    fn until(&self) -> Option<Timestamp> {
        let card = self.charge()?.payment_method_details.as_ref()?.card.as_ref()?;
        Timestamp::from_timestamp(card.capture_before?, 0)
    }

    fn fee(&self) -> Option<Fee> {
        let told = self.charge()?.balance_transaction.clone()?;
        let told: BalanceTransaction = serde_json::from_value(told).ok()?;
        Some(Fee { transaction: told.id, money: money(told.fee, &told.currency).ok()? })
    }
}

impl Refund {
    /// As the port has it.
    pub(super) fn snapshot(self) -> Result<RefundSnapshot, ProviderError> {
        let standing = match self.status.as_deref() {
            Some("succeeded") => RefundStanding::Succeeded,
            Some("failed" | "canceled") => RefundStanding::Failed { reason: word(self.failure_reason.as_deref()) },
            _ => RefundStanding::Pending,
        };
        let refund_id = self.metadata.get("refund_id").and_then(|text| Uuid::parse_str(text).ok());
        Ok(RefundSnapshot { reference: self.id, refund_id, money: money(self.amount, &self.currency)?, standing })
    }
}
