//! Events of a tenant that could not be applied.

use crate::{
    app::App,
    example,
    problem::Refusal,
    read_model::{Expected, Isolation, ReadModel},
    request::{ReadContext, ReadHeaders, ReadParameters},
};
use access::{Permission, Routes, Rule};
use axum::{Json, extract::State};
use schemas::{Timestamp, dead_letter::DeadLetterState, ids::TenantId, topics::partition_key};
use serde::Serialize;
use sqlx::PgPool;
use utoipa_axum::routes;

/// The open dead letters of a tenant.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[Isolation::of(
        "/v1/status/dead-letters",
        "/v1/status/dead-letters",
        Expected::NothingYet("/dead_letters"),
    )],
};

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Staff(Permission::StatusRead), routes!(dead_letters))
}

/// The open dead letters of a tenant.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(DeadLetters::example())))]
pub struct DeadLetters {
    /// The oldest first.
    dead_letters: Vec<DeadLetter>,
}

impl DeadLetters {
    fn example() -> Self {
        let dead_letter = DeadLetter {
            id: 17,
            projection: "views".to_owned(),
            aggregate_key: partition_key(TenantId(example::id(9)), example::id(0)),
            topic: "souk.catalog".to_owned(),
            partition: 0,
            record_offset: 1_204,
            event_type: Some("souk.catalog.product.changed.v1".to_owned()),
            state: DeadLetterState::Parked,
            error: "missing field `slug`".to_owned(),
            attempts: 3,
            created_at: example::moment(),
        };
        Self { dead_letters: vec![dead_letter] }
    }
}

/// An event that could not be applied.
#[derive(Debug, Clone, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct DeadLetter {
    /// Its number.
    pub id: i64,
    /// Which projection could not apply it.
    pub projection: String,
    /// The Kafka key.
    pub aggregate_key: String,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub record_offset: i64,
    /// The event's type, if it said one.
    pub event_type: Option<String>,
    /// Where it is; those that are settled are not here.
    #[sqlx(try_from = "String")]
    pub state: DeadLetterState,
    /// What happened.
    pub error: String,
    /// How often it was tried.
    pub attempts: i32,
    /// Since when it is here.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// The open dead letters of a tenant, oldest first.
async fn open(pool: &PgPool, tenant: TenantId) -> Result<Vec<DeadLetter>, sqlx::Error> {
    sqlx::query_as(
        "SELECT id, projection, aggregate_key, topic, partition, record_offset, event_type, state, error, attempts, created_at
         FROM dead_letters WHERE tenant_id = $1 AND state IN ('parked', 'queued', 'retrying') ORDER BY id LIMIT 1000",
    )
    .bind(tenant.uuid())
    .fetch_all(pool)
    .await
}

/// Events of this tenant that could not be applied.
#[utoipa::path(get, path = "/v1/status/dead-letters", tag = "status", params(ReadHeaders, ReadParameters),
    responses((status = 200, description = "The oldest thousand", body = DeadLetters)))]
pub async fn dead_letters(State(app): State<App>, context: ReadContext) -> Result<Json<DeadLetters>, Refusal> {
    Ok(Json(DeadLetters { dead_letters: open(&app.pool, context.tenant).await? }))
}
