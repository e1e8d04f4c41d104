//! The Kafka topics that contexts speak on, and partition keys.
//!
//! How many partitions a topic has is the installation's choice, the same for all its topics, and never changes in
//! place: order and checkpoints depend on it. Another number means another epoch of the log, with topics of its own.

use crate::{Timestamp, ids::TenantId};
use std::time::Duration;
use uuid::Uuid;

pub use crate::contexts::Context;

/// A Kafka topic of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    /// The name without any prefix of the installation.
    pub name: &'static str,
    /// `cleanup.policy=compact`; otherwise events are kept without limit (`retention.ms=-1`).
    pub compacted: bool,
}

impl Topic {
    /// A topic of events, which are kept without limit.
    pub(crate) const fn of_events(name: &'static str) -> Self {
        Self { name, compacted: false }
    }

    /// Its name on a cluster: the prefix of the installation in front, the epoch of the log behind. The first
    /// epoch is the empty text; see docs/decisions/0014.
    #[must_use]
    pub fn on_cluster(&self, prefix: &str, epoch: &str) -> String {
        let dot = if epoch.is_empty() { "" } else { "." };
        format!("{prefix}{}{dot}{epoch}", self.name)
    }
}

/// The name of an epoch of the log that begins now: the time, and sorting after the one before.
#[must_use]
pub fn epoch_after(before: &str, now: Timestamp) -> String {
    let name = |at: Timestamp| at.format("%Y%m%dT%H%M%SZ").to_string();
    let mut at = now;
    while name(at).as_str() <= before {
        at += Duration::from_secs(1);
    }
    name(at)
}

/// Composed search documents, one record per product; index and embedding writers read only this.
pub const DOCUMENTS: Topic = Topic { name: "souk.documents.v1", compacted: true };

/// Every topic souk creates.
#[must_use]
pub fn all() -> Vec<Topic> {
    Context::ALL.into_iter().map(Context::topic).chain([DOCUMENTS]).collect()
}

/// The Kafka key: tenant and the id that keeps related events in order in one partition.
///
/// For a product's catalog, price and stock events that id is the product's, so that all that is
/// known of one product sits in the same partition number of each topic.
#[must_use]
pub fn partition_key(tenant: TenantId, id: Uuid) -> String {
    format!("{tenant}:{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_of_another_epoch_has_another_name() {
        assert_eq!(DOCUMENTS.on_cluster("", ""), "souk.documents.v1");
        assert_eq!(DOCUMENTS.on_cluster("a.", "20261121T143000Z"), "a.souk.documents.v1.20261121T143000Z");
    }

    #[test]
    fn a_new_epoch_sorts_after_the_one_before() {
        let now = Timestamp::from_timestamp(1_795_271_880, 0).expect("a time");
        let first = epoch_after("", now);
        assert_eq!(first, "20261121T143800Z");
        let second = epoch_after(&first, now);
        assert_eq!(second, "20261121T143801Z");
        assert!(epoch_after(&second, now) > second);
    }
}
