//! Payment providers, behind one port: what the shop asks of any of them, and what each declares of itself.
//!
//! | path | what is there |
//! |---|---|
//! | [`stripe`] | cards, by Stripe's interface |
//! | [`transfer`] | transfers to a bank account, which staff confirm |
//! | [`cash`] | cash that a carrier collects |
//! | [`connection`] | requests with their bounds, their retries, and when they are not tried |
//!
//! To add one: a file that implements [`Provider`], and a contract test against a stand-in that speaks its documented interface.
//!
//! What a provider says is never taken from what it sends by itself: a webhook says that there is something to ask for.

mod breaker;
pub mod cash;
pub mod connection;
pub mod stripe;
pub mod transfer;

use futures::future::BoxFuture;
use schemas::{TimeDelta, Timestamp, Uuid, money::Money};
use std::fmt;

/// How long a provider knows an idempotency key: so long the same request is repeated, and later it is looked for.
pub const KEY_WINDOW: TimeDelta = TimeDelta::hours(24);

/// What a provider declares of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declaration {
    /// Whether it is asked over the network; of others staff say what has happened.
    pub is_asked: bool,
    /// Whether what it holds can be captured in parts. Where not, the rest is let go of with the only capture.
    pub multi_capture: bool,
    /// How long it holds money, if it says nothing else.
    pub holds_for: Option<TimeDelta>,
}

/// An attempt to pay, as a provider is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttempt {
    /// Comes back with it, by which it is found again.
    pub ours: Ours,
    /// For what it is, for people who look at it in the provider's console.
    pub order_id: Uuid,
    /// How much.
    pub money: Money,
}

/// What the shop calls an attempt. Providers keep it beside theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ours {
    /// The payment.
    pub payment_id: Uuid,
    /// The number of the attempt.
    pub attempt: u32,
}

/// A refund to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRefund {
    /// What the shop calls it.
    pub refund_id: Uuid,
    /// What the provider calls the attempt that it is of.
    pub reference: String,
    /// How much.
    pub money: Money,
}

/// What the shopper has to do.
#[derive(Clone, PartialEq, Eq)]
pub enum Action {
    /// To say with what they pay, on the shop's page, by this secret.
    Confirm {
        /// It lets whoever has it pay, and see what is paid.
        client_secret: String,
    },
    /// To go to this page.
    Redirect {
        /// Of the provider, or of their bank.
        url: String,
    },
}

/// The secret stands in no log.
impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Confirm { .. } => "Confirm(..)",
            Self::Redirect { .. } => "Redirect(..)",
        })
    }
}

/// How far an attempt is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The provider is at work.
    Pending,
    /// The shopper has to do something.
    ActionRequired(Action),
    /// The money is held.
    Authorized {
        /// Until when, if it is known.
        until: Option<Timestamp>,
    },
    /// The money was taken.
    Captured,
    /// It was declined.
    Failed {
        /// Why, in a word.
        reason: String,
    },
    /// It was given up, or the hold is over.
    Canceled,
}

/// How far a refund is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundStanding {
    /// It was taken on.
    Pending,
    /// The money has gone back.
    Succeeded,
    /// It has not.
    Failed {
        /// Why, in a word.
        reason: String,
    },
}

/// A refund, as the provider says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundSnapshot {
    /// What the provider calls it.
    pub reference: String,
    /// What the shop calls it; none if it was made in the provider's console.
    pub refund_id: Option<Uuid>,
    /// How much.
    pub money: Money,
    /// How far it is.
    pub standing: RefundStanding,
}

/// What a provider keeps for its service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fee {
    /// What the provider calls it.
    pub transaction: String,
    /// How much, in the currency in which it settles.
    pub money: Money,
}

/// An attempt, as the provider says it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// What the provider calls it.
    pub reference: String,
    /// What the shop calls it; none for what the shop has not begun.
    pub ours: Option<Ours>,
    /// How much is to be paid.
    pub money: Money,
    /// How far it is.
    pub standing: Standing,
    /// How much was captured, in minor units.
    pub captured: i64,
    /// Whether no more is captured.
    pub is_final: bool,
    /// How much went back, in minor units.
    pub refunded: i64,
    /// What has gone back of it, as far as that was asked for; a list tells the sum alone.
    pub refunds: Vec<RefundSnapshot>,
    /// What the provider keeps, once it is known.
    pub fee: Option<Fee>,
}

/// Some attempts, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// As the provider says them now.
    pub attempts: Vec<Snapshot>,
    /// By which the page after it is asked for; none after the last.
    pub next: Option<String>,
}

/// What a webhook says: that there is something to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What the provider calls the webhook, the same each time it is sent.
    pub event_id: String,
    /// What happened, in the provider's word.
    pub kind: String,
    /// What the provider calls the attempt that it is about; none if it is about something else.
    pub reference: Option<String>,
}

/// Why a provider did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It was not asked, or has done nothing: the same can be asked for again.
    #[error("the provider was not asked, or has not begun: {0}")]
    NotDone(String),
    /// It refuses. Nothing was done.
    #[error("the provider refuses it: {code}")]
    Refused {
        /// Why, in a word.
        code: String,
    },
    /// It is in another state than that allows; asking for it tells in which.
    #[error("the provider has it in another state: {code}")]
    OtherState {
        /// Why, in a word.
        code: String,
    },
    /// What came of it is not known.
    #[error("what came of it is not known: {0}")]
    Unknown(String),
    /// There is none.
    #[error("the provider has no such thing")]
    Missing,
    /// It does not do that.
    #[error("the provider does not do that")]
    Unsupported,
}

/// Why a webhook is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRefused {
    /// It is not signed in a way that can be read.
    #[error("the signature can't be read")]
    Unreadable,
    /// It was signed at another time.
    #[error("the signature is of another time")]
    Stale,
    /// It was signed by somebody else, or was changed.
    #[error("the signature is not one of the account's secrets")]
    Forged,
    /// It is signed, and not one that can be read.
    #[error("the body is no event")]
    NoEvent,
}

/// What a provider answers.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, ProviderError>>;

/// A payment provider, for one shop. What changes something takes a key, under which the provider does it once.
pub trait Provider: fmt::Debug + Send + Sync {
    /// What it declares of itself.
    fn declares(&self) -> Declaration;

    /// Whether it takes such a sum.
    ///
    /// # Errors
    /// A sentence that says which it takes.
    fn check(&self, money: Money) -> Result<(), String>;

    /// Begins an attempt.
    fn create<'a>(&'a self, _new: &'a NewAttempt, _key: &'a str) -> Answer<'a, Snapshot> {
        unsupported()
    }

    /// Has the money held, with what the shopper pays with: a token of the provider's page, never a card.
    fn authorise<'a>(&'a self, _reference: &'a str, _token: &'a str, _key: &'a str) -> Answer<'a, Snapshot> {
        unsupported()
    }

    /// Takes what is held, or a part of it.
    fn capture<'a>(&'a self, _reference: &'a str, _money: Money, _key: &'a str) -> Answer<'a, Snapshot> {
        unsupported()
    }

    /// Lets go of what is held, and ends the attempt.
    fn void<'a>(&'a self, _reference: &'a str, _key: &'a str) -> Answer<'a, Snapshot> {
        unsupported()
    }

    /// Sends money back.
    fn refund<'a>(&'a self, _refund: &'a NewRefund, _key: &'a str) -> Answer<'a, RefundSnapshot> {
        unsupported()
    }

    /// An attempt as it is now.
    fn fetch<'a>(&'a self, _reference: &'a str) -> Answer<'a, Snapshot> {
        unsupported()
    }

    /// The attempts that were begun since, the newest first; `next` of a page gives the one after it.
    fn list(&self, _since: Timestamp, _next: Option<String>) -> Answer<'_, Page> {
        unsupported()
    }

    /// Reads a webhook, if it is signed with one of the account's secrets, within some minutes.
    ///
    /// # Errors
    /// [`WebhookRefused`]
    fn verify_webhook(&self, _signature: &str, _body: &[u8], _now: Timestamp) -> Result<Notice, WebhookRefused> {
        Err(WebhookRefused::Unreadable)
    }
}

fn unsupported<'a, T: Send + 'a>() -> Answer<'a, T> {
    Box::pin(async { Err(ProviderError::Unsupported) })
}
