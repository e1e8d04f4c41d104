//! What is shown of payments.

use crate::example;
use schemas::{Timestamp, Uuid};
use serde::Serialize;

/// A payment.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct ShownPayment {
    /// Its id.
    pub(super) id: Uuid,
    /// Its version.
    pub(super) version: i64,
    /// For what it is.
    order_id: Uuid,
    /// The checkout that it is part of; null if there is none.
    checkout_id: Option<Uuid>,
    /// card, transfer or cash_on_delivery.
    method: String,
    /// Who takes the money: a provider, a bank account or a carrier.
    account: String,
    /// created, pending, action_required, authorized, partly_captured, captured, failed, voided or expired.
    status: String,
    /// ISO 4217 code.
    currency: String,
    /// How much is to be paid, in minor units.
    amount: i64,
    /// How much of it a provider holds.
    held: i64,
    /// How much has come.
    captured: i64,
    /// How much of that went back, or is going to.
    refunded: i64,
    /// What the provider keeps, as far as it is in the same currency.
    fees: i64,
    /// The number of the last attempt; 0 for none.
    attempt: i32,
    /// What the provider calls it; null if that is not known.
    reference: Option<String>,
    /// Why it has failed, in the provider's word; null if it has not.
    failure: Option<String>,
    /// What differed between shop and provider last, as JSON; null if nothing has.
    mismatch: Option<String>,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub(super) created_at: Timestamp,
    /// When something last happened to it.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
}

impl ShownPayment {
    /// The payment of the examples.
    pub(super) fn example() -> Self {
        Self {
            id: example::id(31),
            version: 4,
            order_id: example::id(32),
            checkout_id: Some(example::id(33)),
            method: "card".to_owned(),
            account: "stripe".to_owned(),
            status: "captured".to_owned(),
            currency: "USD".to_owned(),
            amount: 11_056,
            held: 0,
            captured: 11_056,
            refunded: 0,
            fees: 351,
            attempt: 1,
            reference: Some("pi_3QExample".to_owned()),
            failure: None,
            mismatch: None,
            created_at: example::moment(),
            changed_at: example::moment(),
        }
    }

    /// By which the page after it is asked for.
    pub(super) fn place(&self) -> String {
        format!("{}_{}", self.created_at.timestamp_micros(), self.id)
    }
}

/// Money that has come.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct ShownCapture {
    /// Unique for ever.
    capture_id: String,
    /// provider, transfer or cash.
    source: String,
    /// Who has it.
    account: String,
    /// ISO 4217 code.
    currency: String,
    /// How much, in minor units.
    amount: i64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    captured_at: Timestamp,
    /// Of cash that was handed over: what the carrier has kept; null otherwise.
    kept: Option<i64>,
}

/// A transfer that somebody has entered.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct ShownTransfer {
    /// To approve it by.
    proof_id: Uuid,
    /// ISO 4217 code.
    currency: String,
    /// How much, in minor units.
    amount: i64,
    /// What the bank calls it.
    reference: String,
    /// Where the proof is.
    proof: String,
    /// Who entered it: an account or a key, by its id.
    entered_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    entered_at: Timestamp,
    /// Who approved it; null if nobody has.
    approved_by: Option<String>,
    /// When; null if nobody has.
    #[schema(value_type = Option<String>, format = DateTime)]
    approved_at: Option<Timestamp>,
}

/// Money that goes back.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct ShownRefund {
    /// Its id.
    id: Uuid,
    /// requested, submitted, succeeded or failed.
    status: String,
    /// ISO 4217 code.
    currency: String,
    /// How much, in minor units.
    amount: i64,
    /// Why, in a word.
    reason: String,
    /// What the provider calls it; null if that is not known.
    reference: Option<String>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    requested_at: Timestamp,
    /// When something last happened to it.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
}

/// A payment, with what has come and gone.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(PaymentDetail::example())))]
pub struct PaymentDetail {
    /// The payment itself.
    #[serde(flatten)]
    pub(super) payment: ShownPayment,
    /// What has come, in its order.
    pub(super) captures: Vec<ShownCapture>,
    /// Transfers that staff have entered, in their order.
    pub(super) transfers: Vec<ShownTransfer>,
    /// What went back, or is going to, in its order.
    pub(super) refunds: Vec<ShownRefund>,
}

impl PaymentDetail {
    fn example() -> Self {
        let capture = ShownCapture {
            capture_id: format!("{}:1:capture", example::id(31)),
            source: "provider".to_owned(),
            account: "stripe".to_owned(),
            currency: "USD".to_owned(),
            amount: 11_056,
            captured_at: example::moment(),
            kept: None,
        };
        Self { payment: ShownPayment::example(), captures: vec![capture], transfers: Vec::new(), refunds: Vec::new() }
    }
}

/// A payment provider that the shop has agreed with.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct ShownProvider {
    /// Stands in the address of its webhooks.
    id: Uuid,
    /// Such as stripe.
    name: String,
    /// Its version, for `If-Match`.
    version: i64,
    /// When it was set last.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
}

/// The payment providers of a shop.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(ProviderList::example())))]
pub struct ProviderList {
    /// By name.
    pub(super) providers: Vec<ShownProvider>,
}

impl ProviderList {
    fn example() -> Self {
        let (id, name) = (example::id(34), "stripe".to_owned());
        Self { providers: vec![ShownProvider { id, name, version: 1, changed_at: example::moment() }] }
    }
}
