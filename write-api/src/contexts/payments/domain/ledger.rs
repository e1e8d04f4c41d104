//! The ledger: transactions of at least two entries that are balanced in each currency, each posted once under a key of the
//! business. Nothing of it is ever changed.

mod plan;
mod postings;

pub use plan::Account;
pub use postings::postings;

use crate::domain::{Aggregate, Refusal};
use schemas::{
    Uuid,
    events::{
        PaymentsEvent,
        payments::{LedgerEntry, LedgerTransactionPosted, Side},
    },
    money::Currency,
    problem::{Code, ProblemType},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// What it is of in the business, unique for ever in the tenant.
    pub key: String,
    /// What it is, in a word.
    pub kind: &'static str,
    /// The type of the event that it follows from.
    pub cause: &'static str,
    /// The payment that it belongs to.
    pub payment_id: Option<Uuid>,
    /// Its entries.
    pub entries: Vec<LedgerEntry>,
}

impl Posting {
    /// As it is told, under the id that follows from its key.
    #[must_use]
    pub fn posted(self, transaction_id: Uuid) -> LedgerTransactionPosted {
        let Self { key, kind, cause, payment_id, entries } = self;
        let (kind, cause) = (kind.to_owned(), cause.to_owned());
        LedgerTransactionPosted { transaction_id, key, kind, cause, payment_id, entries }
    }
}

/// A transaction of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerTransaction {
    /// As it was posted.
    #[serde(flatten)]
    pub posted: LedgerTransactionPosted,
}

/// Why nothing is posted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The key has other entries.
    #[error("`{key}` was posted before, with other entries")]
    KeyTaken {
        /// What it is of in the business.
        key: String,
    },
    /// An entry is not above zero, there are fewer than two, or they are not balanced.
    #[error(
        "`{key}` is not balanced: at least two entries above zero are expected, as much on one side as on the other"
    )]
    Unbalanced {
        /// What it is of in the business.
        key: String,
    },
}

/// Neither is anything that a caller could put right.
impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        Code::Internal.into()
    }
}

/// Whether entries are at least two, each above zero, and in each currency as much on one side as on the other.
#[must_use]
pub fn is_balanced(entries: &[LedgerEntry]) -> bool {
    let mut sums = BTreeMap::<Currency, i128>::new();
    for entry in entries {
        let amount = i128::from(entry.amount);
        *sums.entry(entry.currency).or_default() += match entry.side {
            Side::Debit => amount,
            Side::Credit => -amount,
        };
    }
    entries.len() >= 2 && entries.iter().all(|entry| entry.amount > 0) && sums.values().all(|sum| *sum == 0)
}

fn sorted(entries: &[LedgerEntry]) -> Vec<&LedgerEntry> {
    let mut entries: Vec<&LedgerEntry> = entries.iter().collect();
    entries.sort_unstable();
    entries
}

impl Aggregate for LedgerTransaction {
    const NAME: &'static str = "ledger_transaction";
    type Command = LedgerTransactionPosted;
    type Event = PaymentsEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: LedgerTransactionPosted) -> Result<Vec<PaymentsEvent>, Rejection> {
        match state {
            Some(known) if sorted(&known.posted.entries) == sorted(&command.entries) => Ok(vec![]),
            Some(_) => Err(Rejection::KeyTaken { key: command.key }),
            None if is_balanced(&command.entries) => Ok(vec![PaymentsEvent::LedgerTransactionPosted(command)]),
            None => Err(Rejection::Unbalanced { key: command.key }),
        }
    }

    fn apply(state: Option<Self>, event: &PaymentsEvent) -> Option<Self> {
        match event {
            PaymentsEvent::LedgerTransactionPosted(posted) => Some(Self { posted: posted.clone() }),
            _ => state,
        }
    }
}
