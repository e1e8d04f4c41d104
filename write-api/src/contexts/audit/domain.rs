//! A trail: the entries of a shop, each with the digest of the one before it.

use crate::domain::Aggregate;
use schemas::{
    audit::BEGINNING,
    events::{AuditEvent, audit::EntryRecorded},
};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// The chain of entries, by its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trail {
    /// The digest of the last entry, in hexadecimal digits.
    pub(crate) digest: String,
}

/// Adds an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordEntry {
    /// As JSON text.
    pub(crate) entry: String,
    /// Its digest, made with that of the entry before.
    pub(crate) digest: String,
}

impl Trail {
    /// The digest that the next entry builds on.
    pub(crate) fn end(state: Option<&Self>) -> &str {
        state.map_or(BEGINNING, |trail| &trail.digest)
    }
}

impl Aggregate for Trail {
    const NAME: &'static str = "trail";
    type Command = RecordEntry;
    type Event = AuditEvent;
    type Rejection = Infallible;

    fn decide(state: Option<&Self>, RecordEntry { entry, digest }: RecordEntry) -> Result<Vec<AuditEvent>, Infallible> {
        let previous = Self::end(state).to_owned();
        Ok(vec![AuditEvent::Recorded(EntryRecorded { entry, previous, digest })])
    }

    fn apply(_: Option<Self>, AuditEvent::Recorded(recorded): &AuditEvent) -> Option<Self> {
        Some(Self { digest: recorded.digest.clone() })
    }
}
