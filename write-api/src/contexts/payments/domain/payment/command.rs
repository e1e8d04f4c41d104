//! What can be done to a payment.

use schemas::{
    Timestamp, Uuid,
    events::payments::{ActionKind, PaymentCreated, TransferEntered},
    money::Money,
};

/// What is to be paid.
pub type NewPayment = PaymentCreated;

/// A transfer that has come, as somebody of the staff enters it.
pub type NewTransfer = TransferEntered;

/// What a provider says of an attempt. It was asked, or has answered; nothing of a webhook stands here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Which attempt it is, as the provider was told when it began.
    pub attempt: u32,
    /// What the provider calls it.
    pub reference: String,
    /// What is to be paid.
    pub money: Money,
    /// How far it is.
    pub status: ObservedStatus,
    /// How much was captured.
    pub captured: i64,
    /// Whether no more is captured.
    pub is_final: bool,
    /// What the provider keeps, and what it calls that, once it is known.
    pub fee: Option<(String, Money)>,
}

/// How far an attempt is at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObservedStatus {
    /// It is at work.
    Pending,
    /// The shopper has to do something.
    ActionRequired(ActionKind),
    /// It holds the money.
    Authorized {
        /// Until when, if it says so.
        until: Option<Timestamp>,
    },
    /// It has taken the money.
    Captured,
    /// It was declined.
    Failed {
        /// Why, in a word.
        reason: String,
    },
    /// It was given up there, or the hold is over.
    Canceled,
}

/// What can be done to a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentCommand {
    /// Somebody is to pay.
    Create(NewPayment),
    /// Begins an attempt by a provider.
    Begin {
        /// The number of the attempt: that of the current one, or the next.
        attempt: u32,
    },
    /// Takes in what the provider says.
    Observe(Observed),
    /// The provider is sure never to have had an attempt.
    Absent {
        /// The number of the attempt.
        attempt: u32,
        /// Why it has not come about, in a word.
        reason: String,
    },
    /// Gives it up, once nothing is held for it at the provider.
    Void {
        /// Whether money that comes nevertheless is given back at once.
        gives_back: bool,
    },
    /// Somebody says that a transfer has come.
    EnterTransfer(NewTransfer),
    /// Somebody else approves it.
    ApproveTransfer {
        /// The proof.
        proof_id: Uuid,
        /// Who approves it.
        by: String,
    },
    /// A carrier has collected cash.
    CollectCash {
        /// Unique for ever, such as the id of the shipment.
        capture_id: String,
        /// The carrier.
        carrier: String,
        /// How much.
        amount: i64,
    },
    /// The carrier hands it over.
    RemitCash {
        /// The capture.
        capture_id: String,
        /// What it keeps; 0 for nothing.
        kept: i64,
    },
    /// The refunds that the provider tells of are others than the shop knows.
    Differ {
        /// What the provider calls the attempt.
        reference: String,
        /// How much went back, as the shop knows it.
        ours: i64,
        /// The same as the provider says it.
        theirs: i64,
    },
}
