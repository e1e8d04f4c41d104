//! What is kept of a dead letter.

use crate::example;
use schemas::{Timestamp, Uuid, dead_letter::DeadLetterState, ids::TenantId, topics::partition_key};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::types::Json;
use std::collections::BTreeMap;

/// A dead letter without what the event says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeadLetterHead {
    /// Its number.
    pub id: i64,
    /// Which projection could not apply it.
    pub projection: String,
    /// The Kafka key: tenant and aggregate.
    pub aggregate_key: String,
    /// The tenant's id, if the event said one.
    pub tenant_id: Option<Uuid>,
    /// The tenant's slug, once the views know it.
    pub tenant: Option<String>,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub record_offset: i64,
    /// The event's type, if it said one.
    pub event_type: Option<String>,
    /// Where it is.
    pub state: DeadLetterState,
    /// What happened.
    pub error: String,
    /// How often it was tried.
    pub attempts: i32,
    /// Since when it is here.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When something happened to it last.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl DeadLetterHead {
    /// As the examples show it.
    #[must_use]
    pub fn example() -> Self {
        Self {
            id: 17,
            projection: "views".to_owned(),
            aggregate_key: partition_key(TenantId(example::id(9)), example::id(0)),
            tenant_id: Some(example::id(9)),
            tenant: Some("demo".to_owned()),
            topic: "souk.catalog".to_owned(),
            partition: 0,
            record_offset: 1_204,
            event_type: Some("souk.catalog.product.changed.v1".to_owned()),
            state: DeadLetterState::Parked,
            error: "missing field `slug`".to_owned(),
            attempts: 3,
            created_at: example::moment(),
            updated_at: example::moment(),
        }
    }
}

/// What the event says, as it is stored.
#[derive(Debug, sqlx::FromRow)]
pub struct Said {
    /// Its headers by name.
    pub headers: Json<BTreeMap<String, String>>,
    /// Its payload.
    pub payload: Option<Vec<u8>>,
}

/// A dead letter, whole.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(WholeDeadLetter::example())))]
pub struct WholeDeadLetter {
    /// What lists show of it.
    #[serde(flatten)]
    pub head: DeadLetterHead,
    /// The headers of the event by name.
    pub headers: BTreeMap<String, String>,
    /// What the event says: its JSON, or a text if it is none; null if it says nothing.
    #[schema(value_type = Option<serde_json::Value>)]
    pub payload: Option<Box<RawValue>>,
    /// What happened to it, the oldest first.
    pub history: Vec<Happened>,
    /// The number of the dead letter at the head of its queue; null if that is itself, or if it is settled.
    pub waits_for: Option<i64>,
    /// Later dead letters of its aggregate, which wait for it.
    pub queue: Vec<DeadLetterHead>,
    /// The correlation id of the request that led to the event.
    pub correlation_id: Option<String>,
    /// The trace of that request.
    pub trace_id: Option<String>,
}

impl WholeDeadLetter {
    fn example() -> Self {
        let correlation = "2b7e1516-28ae-4d2a-a6ab-f7158809cf4f".to_owned();
        let happened = Happened {
            at: example::moment(),
            kind: HappenedKind::Failed,
            actor: String::new(),
            note: "missing field `slug`".to_owned(),
            payload: None,
        };
        Self {
            head: DeadLetterHead::example(),
            headers: BTreeMap::from([("ce_soukcorrelation".to_owned(), correlation.clone())]),
            payload: Some(example::no_fields()),
            history: vec![happened],
            waits_for: None,
            queue: Vec::new(),
            correlation_id: Some(correlation),
            trace_id: None,
        }
    }
}

/// Something that happened to a dead letter.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Happened {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What.
    pub kind: HappenedKind,
    /// Who; empty for the projection itself.
    pub actor: String,
    /// The error, or the operator's reason.
    pub note: String,
    /// What an edit has replaced.
    #[schema(value_type = Option<serde_json::Value>)]
    pub payload: Option<Box<RawValue>>,
}

/// [`Happened`], as it is stored.
#[derive(Debug, sqlx::FromRow)]
pub struct HappenedRow {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: HappenedKind,
    /// Who; empty for the projection itself.
    pub actor: String,
    /// The error, or the operator's reason.
    pub note: String,
    /// What an edit has replaced.
    pub payload: Option<Vec<u8>>,
}

/// What can happen to a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum HappenedKind {
    /// It could not be applied.
    Failed,
    /// An operator asked for another try.
    Retry,
    /// An operator changed what it says.
    Edit,
    /// An operator gave it up.
    Discard,
}
