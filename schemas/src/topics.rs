//! Bounded contexts, the Kafka topics they speak on, partition counts and partition keys.
//!
//! A partition count is part of the contract and never changes in place: order, checkpoints and
//! tokens depend on it. More partitions means a new topic generation (`.v2`).

use crate::{Timestamp, ids::TenantId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};
use uuid::Uuid;

/// A bounded context: one write module, one Postgres schema, one outbox, one topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Context {
    /// Shops on this installation.
    Tenants,
    /// Products, variants, categories.
    Catalog,
    /// Price sheets, one per variant.
    Pricing,
    /// Stock items, one per variant.
    Inventory,
    /// Synonyms, rules, facets and experiments: what staff define to steer search.
    Merchandising,
    /// What shoppers searched for and did: facts, kept as they are reported.
    Insights,
}

impl Context {
    /// Every context that exists today, in the order of their wire codes.
    pub const ALL: [Self; 6] =
        [Self::Tenants, Self::Catalog, Self::Pricing, Self::Inventory, Self::Merchandising, Self::Insights];

    /// The name: also the Postgres schema and the segment of event types.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tenants => "tenants",
            Self::Catalog => "catalog",
            Self::Pricing => "pricing",
            Self::Inventory => "inventory",
            Self::Merchandising => "merchandising",
            Self::Insights => "insights",
        }
    }

    /// The topic its events travel on.
    #[must_use]
    pub const fn topic(self) -> Topic {
        match self {
            Self::Tenants => Topic { name: "souk.tenants.v1", partitions: PARTITIONS, compacted: false },
            Self::Catalog => Topic { name: "souk.catalog.v1", partitions: PARTITIONS, compacted: false },
            Self::Pricing => Topic { name: "souk.pricing.v1", partitions: PARTITIONS, compacted: false },
            Self::Inventory => Topic { name: "souk.inventory.v1", partitions: PARTITIONS, compacted: false },
            Self::Merchandising => Topic { name: "souk.merchandising.v1", partitions: PARTITIONS, compacted: false },
            Self::Insights => Topic { name: "souk.insights.v1", partitions: PARTITIONS, compacted: false },
        }
    }

    /// One byte for consistency tokens; never reused.
    #[must_use]
    pub const fn wire_code(self) -> u8 {
        match self {
            Self::Tenants => 1,
            Self::Catalog => 2,
            Self::Pricing => 3,
            Self::Inventory => 4,
            Self::Merchandising => 5,
            Self::Insights => 6,
        }
    }

    /// The context of a wire code, if it is known.
    #[must_use]
    pub fn from_wire_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|context| context.wire_code() == code)
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name is not one of [`Context::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a context of souk")]
pub struct UnknownContext(pub String);

impl FromStr for Context {
    type Err = UnknownContext;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|c| c.name() == text).ok_or_else(|| UnknownContext(text.to_owned()))
    }
}

/// Partitions of every topic of this generation.
pub const PARTITIONS: i32 = 4;

/// A Kafka topic of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    /// The name without any prefix of the installation.
    pub name: &'static str,
    /// The number of partitions it is created with, for ever.
    pub partitions: i32,
    /// `cleanup.policy=compact`; otherwise events are kept without limit (`retention.ms=-1`).
    pub compacted: bool,
}

impl Topic {
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
pub const DOCUMENTS: Topic = Topic { name: "souk.documents.v1", partitions: PARTITIONS, compacted: true };

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

    #[test]
    fn wire_codes_and_names_lead_back_to_the_context() {
        for context in Context::ALL {
            assert_eq!(Context::from_wire_code(context.wire_code()), Some(context));
            assert_eq!(context.name().parse(), Ok(context));
        }
    }
}
