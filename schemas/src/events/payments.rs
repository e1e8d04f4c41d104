//! Events of the payments context. Amounts are in minor units and above zero unless their field says otherwise.

use super::settings::PaymentMethod;
use crate::{
    Timestamp,
    money::{Currency, Money},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A shop has agreed with a payment provider; or what they agreed has changed. Secrets are in no event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderAccountSet {
    /// Stands in the address of its webhooks.
    pub account_id: Uuid,
    /// The provider, such as `stripe`.
    pub name: String,
    /// A digest that only the shop can make, by which other secrets show.
    pub secrets_digest: String,
}

/// Somebody is to pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentCreated {
    /// The payment.
    pub payment_id: Uuid,
    /// For what.
    pub order_id: Uuid,
    /// The checkout that it is part of, if there is one.
    #[serde(default)]
    pub checkout_id: Option<Uuid>,
    /// How it is paid.
    pub method: PaymentMethod,
    /// Who takes the money: a payment provider, a bank account or a carrier, by the shop's name for it.
    pub account: String,
    /// How much. The currency never changes.
    pub money: Money,
}

/// An attempt to pay was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentPending {
    /// The payment.
    pub payment_id: Uuid,
    /// The number of the attempt, from 1.
    pub attempt: u32,
}

/// What the shopper has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// To say with what they pay, on the shop's page.
    Confirm,
    /// To go to a page of the provider, or of their bank.
    Redirect,
}

/// The shopper has to do something before the provider goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentActionRequired {
    /// The payment.
    pub payment_id: Uuid,
    /// The attempt.
    pub attempt: u32,
    /// What the provider calls the attempt.
    pub reference: String,
    /// What has to be done.
    pub action: ActionKind,
}

/// The provider holds the money for the shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentAuthorized {
    /// The payment.
    pub payment_id: Uuid,
    /// The attempt.
    pub attempt: u32,
    /// What the provider calls the attempt.
    pub reference: String,
    /// How much is held.
    pub money: Money,
    /// Until when, if the provider says so.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// The provider holds the money no longer: nobody has captured it in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuthorizationExpired {
    /// The payment.
    pub payment_id: Uuid,
    /// The attempt.
    pub attempt: u32,
    /// How much was held.
    pub money: Money,
}

/// By what the money came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaptureSource {
    /// A payment provider has taken it.
    Provider,
    /// It was transferred to a bank account, and staff have approved that.
    Transfer,
    /// A carrier has collected it in cash.
    Cash,
}

/// Money has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentCaptured {
    /// The payment.
    pub payment_id: Uuid,
    /// For what.
    pub order_id: Uuid,
    /// Unique for ever in the tenant.
    pub capture_id: String,
    /// By what it came.
    pub source: CaptureSource,
    /// Who has it: a payment provider, a bank account or a carrier, by the shop's name for it.
    pub account: String,
    /// How much.
    pub money: Money,
    /// How much of it was held before, in minor units; 0 for money that nobody held.
    #[serde(default)]
    pub from_hold: i64,
    /// How much of what was held is let go of with it, in minor units; 0 for none.
    #[serde(default)]
    pub released: i64,
    /// The attempt, where a provider has taken it.
    #[serde(default)]
    pub attempt: Option<u32>,
}

/// An attempt has failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentFailed {
    /// The payment.
    pub payment_id: Uuid,
    /// The attempt.
    pub attempt: u32,
    /// Why, in a word, such as `card_declined`; `absent` if the provider never had it.
    pub reason: String,
    /// What the provider calls the attempt, if it had it.
    #[serde(default)]
    pub reference: Option<String>,
}

/// Nothing is paid by it any more, and what was held is let go of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentVoided {
    /// The payment.
    pub payment_id: Uuid,
    /// The attempt that was current.
    pub attempt: u32,
    /// How much was held; the amount is 0 if nothing was.
    pub money: Money,
    /// Whether money that comes nevertheless is given back at once; otherwise whoever began the payment decides.
    #[serde(default)]
    pub gives_back: bool,
}

/// The provider keeps something for its service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeeCharged {
    /// The payment.
    pub payment_id: Uuid,
    /// The provider's account, by the shop's name for it.
    pub account: String,
    /// What the provider calls it.
    pub transaction: String,
    /// How much, in the currency in which the provider settles.
    pub money: Money,
}

/// Somebody of the staff says that a transfer has come. It counts once somebody else approves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransferEntered {
    /// The payment.
    pub payment_id: Uuid,
    /// The proof.
    pub proof_id: Uuid,
    /// How much has come.
    pub money: Money,
    /// What the bank calls it.
    pub reference: String,
    /// Where the proof is, in the words of who entered it.
    pub proof: String,
    /// Who entered it: an account or a key, by its id.
    pub entered_by: String,
}

/// Somebody else has approved a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransferApproved {
    /// The payment.
    pub payment_id: Uuid,
    /// The proof.
    pub proof_id: Uuid,
    /// Who approved it: an account or a key, by its id.
    pub approved_by: String,
}

/// A carrier has handed over what it collected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CashRemitted {
    /// The payment.
    pub payment_id: Uuid,
    /// The capture by which it was collected.
    pub capture_id: String,
    /// The carrier, by the shop's name for it.
    pub carrier: String,
    /// How much was collected.
    pub money: Money,
    /// How much of it the carrier keeps, in minor units; 0 for nothing.
    pub kept: i64,
}

/// What differs between the shop and the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mismatch {
    /// How much is to be paid, or its currency.
    Amount,
    /// How much was captured.
    Captured,
    /// How much went back.
    Refunded,
}

/// The provider says something else than the shop knows. Nothing was changed by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentMismatchFound {
    /// The payment.
    pub payment_id: Uuid,
    /// What the provider calls the attempt.
    pub reference: String,
    /// What differs.
    pub what: Mismatch,
    /// As the shop knows it; it may be 0.
    pub ours: Money,
    /// As the provider says it; it may be 0.
    pub theirs: Money,
}

/// Money is to go back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefundRequested {
    /// The refund.
    pub refund_id: Uuid,
    /// What it goes back of.
    pub payment_id: Uuid,
    /// For what was paid.
    pub order_id: Uuid,
    /// By what the money had come.
    pub source: CaptureSource,
    /// Who sends it back: a payment provider or a bank account, by the shop's name for it.
    pub account: String,
    /// How much.
    pub money: Money,
    /// Why, in a word: `late` for a payment after its checkout was given up, `provider` for a refund that was made in the
    /// provider's console.
    pub reason: String,
}

/// The provider has taken the refund on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefundSubmitted {
    /// The refund.
    pub refund_id: Uuid,
    /// What it goes back of.
    pub payment_id: Uuid,
    /// For what was paid.
    pub order_id: Uuid,
    /// By what the money had come.
    pub source: CaptureSource,
    /// Who sends it back.
    pub account: String,
    /// How much.
    pub money: Money,
    /// What the provider calls it.
    pub reference: String,
}

/// The money has gone back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefundSucceeded {
    /// The refund.
    pub refund_id: Uuid,
    /// What it went back of.
    pub payment_id: Uuid,
    /// For what was paid.
    pub order_id: Uuid,
    /// By what the money had come.
    pub source: CaptureSource,
    /// Who has sent it back.
    pub account: String,
    /// How much.
    pub money: Money,
}

/// The money has not gone back, or it came again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefundFailed {
    /// The refund.
    pub refund_id: Uuid,
    /// What it was of.
    pub payment_id: Uuid,
    /// For what was paid.
    pub order_id: Uuid,
    /// By what the money had come.
    pub source: CaptureSource,
    /// Who was to send it back.
    pub account: String,
    /// How much.
    pub money: Money,
    /// Whether the provider had taken it on before.
    pub was_submitted: bool,
    /// Why, in a word.
    pub reason: String,
}

/// The side of an account that an entry is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What is had, and what is spent.
    Debit,
    /// What is owed, and what is earned.
    Credit,
}

/// An entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct LedgerEntry {
    /// The account: a number of four digits, for most with a colon and what it is the account of, such as `1000:stripe`.
    pub account: String,
    /// The side.
    pub side: Side,
    /// How much, in minor units, above zero.
    pub amount: i64,
    /// ISO 4217 code.
    pub currency: Currency,
}

/// A transaction was added to the ledger. It is never changed; in each currency its debits are its credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerTransactionPosted {
    /// The transaction; it follows from its key.
    pub transaction_id: Uuid,
    /// What it is of in the business, unique for ever in the tenant, such as the id of a capture.
    pub key: String,
    /// What it is, in a word, such as `captured`.
    pub kind: String,
    /// The type of the event that it follows from.
    pub cause: String,
    /// The payment that it belongs to, if there is one.
    #[serde(default)]
    pub payment_id: Option<Uuid>,
    /// Its entries, at least two.
    pub entries: Vec<LedgerEntry>,
}

/// By which sums an account is kept in views: accounts of single orders and payments as one, all others by themselves.
#[must_use]
pub fn summed_as(account: &str) -> &str {
    match account.split_once(':') {
        Some((number @ ("1100" | "1200" | "9000"), _)) => number,
        _ => account,
    }
}

super::events! {
    /// What happens to payments, refunds and the ledger.
    PaymentsEvent of Payments, partitioned by "payment" = |event| event.belongs_to(); {
        /// A provider was agreed with.
        ProviderAccountSet(ProviderAccountSet) = "souk.payments.provider_account.set.v1",
        /// Somebody is to pay.
        PaymentCreated(PaymentCreated) = "souk.payments.payment.created.v1",
        /// An attempt was begun.
        PaymentPending(PaymentPending) = "souk.payments.payment.pending.v1",
        /// The shopper has to do something.
        PaymentActionRequired(PaymentActionRequired) = "souk.payments.payment.action_required.v1",
        /// The money is held.
        PaymentAuthorized(PaymentAuthorized) = "souk.payments.payment.authorized.v1",
        /// The money is not held any more.
        AuthorizationExpired(AuthorizationExpired) = "souk.payments.payment.authorization_expired.v1",
        /// Money has come.
        PaymentCaptured(PaymentCaptured) = "souk.payments.payment.captured.v1",
        /// An attempt has failed.
        PaymentFailed(PaymentFailed) = "souk.payments.payment.failed.v1",
        /// Nothing is paid by it any more.
        PaymentVoided(PaymentVoided) = "souk.payments.payment.voided.v1",
        /// The provider keeps something.
        FeeCharged(FeeCharged) = "souk.payments.payment.fee_charged.v1",
        /// A transfer has come, somebody says.
        TransferEntered(TransferEntered) = "souk.payments.payment.transfer_entered.v1",
        /// Somebody else has approved it.
        TransferApproved(TransferApproved) = "souk.payments.payment.transfer_approved.v1",
        /// A carrier has handed cash over.
        CashRemitted(CashRemitted) = "souk.payments.payment.cash_remitted.v1",
        /// The provider says something else.
        PaymentMismatchFound(PaymentMismatchFound) = "souk.payments.payment.mismatch_found.v1",
        /// Money is to go back.
        RefundRequested(RefundRequested) = "souk.payments.refund.requested.v1",
        /// The provider has taken it on.
        RefundSubmitted(RefundSubmitted) = "souk.payments.refund.submitted.v1",
        /// It has gone back.
        RefundSucceeded(RefundSucceeded) = "souk.payments.refund.succeeded.v1",
        /// It has not.
        RefundFailed(RefundFailed) = "souk.payments.refund.failed.v1",
        /// A transaction was added to the ledger.
        LedgerTransactionPosted(LedgerTransactionPosted) = "souk.payments.ledger_transaction.posted.v1",
    }
}

impl PaymentsEvent {
    /// The payment that it belongs to; what belongs to none stands by itself.
    #[must_use]
    pub const fn belongs_to(&self) -> Uuid {
        match self {
            Self::ProviderAccountSet(event) => event.account_id,
            Self::PaymentCreated(event) => event.payment_id,
            Self::PaymentPending(event) => event.payment_id,
            Self::PaymentActionRequired(event) => event.payment_id,
            Self::PaymentAuthorized(event) => event.payment_id,
            Self::AuthorizationExpired(event) => event.payment_id,
            Self::PaymentCaptured(event) => event.payment_id,
            Self::PaymentFailed(event) => event.payment_id,
            Self::PaymentVoided(event) => event.payment_id,
            Self::FeeCharged(event) => event.payment_id,
            Self::TransferEntered(event) => event.payment_id,
            Self::TransferApproved(event) => event.payment_id,
            Self::CashRemitted(event) => event.payment_id,
            Self::PaymentMismatchFound(event) => event.payment_id,
            Self::RefundRequested(event) => event.payment_id,
            Self::RefundSubmitted(event) => event.payment_id,
            Self::RefundSucceeded(event) => event.payment_id,
            Self::RefundFailed(event) => event.payment_id,
            Self::LedgerTransactionPosted(event) => match event.payment_id {
                Some(payment) => payment,
                None => event.transaction_id,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::summed_as;

    #[test]
    fn accounts_of_orders_and_payments_are_summed_as_one() {
        for (account, expected) in [("1000:stripe", "1000:stripe"), ("1100:0199", "1100"), ("9001", "9001"), ("", "")] {
            assert_eq!(summed_as(account), expected);
        }
    }
}
