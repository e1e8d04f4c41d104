//! What is recorded of index generations.

use crate::example;
use schemas::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// An index generation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Generation {
    /// Its name.
    generation: String,
    /// `planned`, `building`, `catching_up`, `verifying`, `ready`, `active`, `retired`, `rolled_back`, `failed` or
    /// `cancelled`.
    state: String,
    /// Moves with every change of state; an operation names the one it saw.
    revision: i64,
    /// The name of its release bundle.
    bundle: Option<String>,
    /// The hash of the bundle.
    bundle_hash: Option<String>,
    /// What it is built from: `topic`, `views` or `copy`.
    source: String,
    /// The generation it was planned against.
    basis: Option<String>,
    /// Documents a second that its build may take; null for no limit.
    rate_limit: Option<i64>,
    /// Whether it is built at full speed, though shoppers search beside it.
    at_once: bool,
    /// Whether its build is paused.
    paused: bool,
    /// The share of searches it answers before it is promoted, in percent.
    canary: i64,
    /// Who planned it.
    created_by: String,
    /// Why it is where it is: the failure, the reason of a rollback.
    note: String,
    /// When it was planned.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it became active, if it ever did.
    #[schema(value_type = Option<String>, format = DateTime)]
    activated_at: Option<Timestamp>,
    /// Whether it was verified.
    has_certificate: bool,
    /// Whether it was compared with another.
    has_comparison: bool,
}

impl Generation {
    /// As the examples show it.
    #[must_use]
    pub fn example() -> Self {
        Self {
            generation: example::GENERATION.to_owned(),
            state: "active".to_owned(),
            revision: 6,
            bundle: Some("shipped".to_owned()),
            bundle_hash: Some("4c1f0f0b5e9d2a37".to_owned()),
            source: "topic".to_owned(),
            basis: None,
            rate_limit: None,
            at_once: false,
            paused: false,
            canary: 0,
            created_by: "operator".to_owned(),
            note: String::new(),
            created_at: example::moment(),
            activated_at: Some(example::moment()),
            has_certificate: true,
            has_comparison: false,
        }
    }
}

/// Everything that is recorded of a generation.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GenerationRecord {
    /// Its name.
    generation: String,
    /// `planned`, `building`, `catching_up`, `verifying`, `ready`, `active`, `retired`, `rolled_back`, `failed` or
    /// `cancelled`.
    state: String,
    /// Moves with every change of state; an operation names the one it saw.
    revision: i64,
    /// Everything that decides what a search finds: the release bundle, its hash, and when it was created.
    #[schema(value_type = Object)]
    manifest: Box<RawValue>,
    /// What it is built from: `topic`, `views` or `copy`.
    source: String,
    /// The generation it was planned against.
    basis: Option<String>,
    /// Documents a second that its build may take; null for no limit.
    rate_limit: Option<i64>,
    /// Whether it is built at full speed, though shoppers search beside it.
    at_once: bool,
    /// Whether its build is paused.
    paused: bool,
    /// The offsets it must not go past while it is compared with another: topic, partition, next offset.
    #[schema(value_type = Option<Vec<Vec<serde_json::Value>>>)]
    stop_at: Option<Box<RawValue>>,
    /// The share of searches it answers before it is promoted, in percent.
    canary: i64,
    /// Who planned it.
    created_by: String,
    /// Why it is where it is: the failure, the reason of a rollback.
    note: String,
    /// When it was planned.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it became active, if it ever did.
    #[schema(value_type = Option<String>, format = DateTime)]
    activated_at: Option<Timestamp>,
    /// The proof that it holds what the views hold, as it was signed; null before it was verified.
    #[schema(value_type = Option<Object>)]
    certificate: Option<Box<RawValue>>,
    /// What changed for real queries against another generation; null before it was compared.
    #[schema(value_type = Option<Object>)]
    comparison: Option<Box<RawValue>>,
}

impl GenerationRecord {
    /// As the examples show it.
    #[must_use]
    pub fn example() -> Self {
        let listed = Generation::example();
        Self {
            generation: listed.generation,
            state: listed.state,
            revision: listed.revision,
            manifest: example::no_fields(),
            source: listed.source,
            basis: listed.basis,
            rate_limit: listed.rate_limit,
            at_once: listed.at_once,
            paused: listed.paused,
            stop_at: None,
            canary: listed.canary,
            created_by: listed.created_by,
            note: listed.note,
            created_at: listed.created_at,
            activated_at: listed.activated_at,
            certificate: Some(example::no_fields()),
            comparison: None,
        }
    }
}

/// The copy of a generation on one node, as its writer reports it once a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GenerationCopy {
    /// The node.
    node: String,
    /// The generation.
    generation: String,
    /// `building`, `catching_up`, `live`, `paused`, `held` or `failed`.
    phase: String,
    /// Documents it holds.
    documents: i64,
    /// Documents there are to take in; an estimate while it is built.
    expected: i64,
    /// Documents a second.
    rate_per_second: f64,
    /// Records of the document topic that it has not taken in.
    lag_events: i64,
    /// What went wrong; empty if nothing did.
    error: String,
    /// Seconds since its last report.
    heartbeat_age_seconds: f64,
}

impl GenerationCopy {
    /// As the examples show it.
    #[must_use]
    pub fn example() -> Self {
        Self {
            node: "node-1".to_owned(),
            generation: example::GENERATION.to_owned(),
            phase: "live".to_owned(),
            documents: 20_000,
            expected: 20_000,
            rate_per_second: 52.0,
            lag_events: 0,
            error: String::new(),
            heartbeat_age_seconds: 0.4,
        }
    }
}

/// A switch of what searches are answered from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct IndexSwitch {
    /// Its number; the highest holds.
    epoch: i64,
    /// To which generation.
    generation: String,
    /// From which.
    previous: Option<String>,
    /// `first`, `promote`, `rollback` or `outdated`.
    kind: String,
    /// Who.
    actor: String,
    /// Why; may be empty.
    reason: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl IndexSwitch {
    /// As the examples show it.
    #[must_use]
    pub fn example() -> Self {
        Self {
            epoch: 3,
            generation: example::GENERATION.to_owned(),
            previous: None,
            kind: "promote".to_owned(),
            actor: "operator".to_owned(),
            reason: "better titles".to_owned(),
            at: example::moment(),
        }
    }
}

/// A set of vectors: those of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct VectorSet {
    /// Its name.
    key: String,
    /// `building`, `live`, `paused` or `failed`.
    phase: String,
    /// Records of the document topic that it has not taken in.
    lag_events: i64,
    /// Documents a second.
    rate_per_second: f64,
    /// What went wrong; empty if nothing did.
    error: String,
    /// Vectors it holds.
    vectors: i64,
    /// Documents that should have one.
    documents: i64,
    /// The generations that want it.
    generations: Vec<String>,
    /// Seconds since its last report.
    heartbeat_age_seconds: f64,
}

impl VectorSet {
    /// As the examples show it.
    #[must_use]
    pub fn example() -> Self {
        Self {
            key: "all-MiniLM-L6-v2/int8-weights".to_owned(),
            phase: "live".to_owned(),
            lag_events: 0,
            rate_per_second: 12.0,
            error: String::new(),
            vectors: 20_000,
            documents: 20_000,
            generations: vec![example::GENERATION.to_owned()],
            heartbeat_age_seconds: 0.4,
        }
    }
}
