//! Everything between a command and a hit, now.

use super::{
    nodes::{self, QueryNode},
    probes::{self, ProbeRound},
};
use crate::{
    app::App,
    example,
    problem::Refusal,
    read_model::{Isolation, ReadModel},
    reads::lag::{self, Projection, TenantLag},
};
use access::{Routes, Rule};
use axum::{Json, extract::State, routing::get};
use schemas::{Timestamp, Utc};
use serde::Serialize;
use sqlx::PgPool;
use utoipa_axum::routes;

/// Everything between a command and a hit, now.
pub const READ: ReadModel = ReadModel { routes, isolation: &[Isolation::staff("/v1/console/pipeline")] };

fn routes() -> Routes<App> {
    // The old path is kept for one release.
    Routes::default().allow(Rule::Admin, routes!(pipeline)).allow_unlisted(
        Rule::Admin,
        "/v1/console/road",
        get(pipeline),
    )
}

/// Everything between a command and a hit, at one moment.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(Pipeline::example())))]
pub struct Pipeline {
    /// The moment.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Each projection with its partitions, and each relay.
    projections: Vec<Projection>,
    /// The hundred tenants that wait longest, the worst first.
    tenants: Vec<TenantLag>,
    /// Search documents that are composed and not yet sent to their topic.
    documents_waiting: DocumentsWaiting,
    /// The query nodes.
    nodes: Vec<QueryNode>,
    /// Open dead letters by projection; those without any are left out.
    dead_letters: Vec<DeadLettersOfProjection>,
    /// The last round of the synthetic probe; null before the first.
    probe: Option<ProbeRound>,
}

impl Pipeline {
    fn example() -> Self {
        let lag = lag::Lag::example();
        Self {
            at: example::moment(),
            projections: lag.projections,
            tenants: lag.tenants,
            documents_waiting: DocumentsWaiting { events: 3, seconds: 0.01 },
            nodes: vec![QueryNode::example()],
            dead_letters: vec![DeadLettersOfProjection { projection: "views".to_owned(), dead_letters: 1 }],
            probe: Some(ProbeRound::example()),
        }
    }
}

/// Search documents that wait for the broker.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct DocumentsWaiting {
    /// How many; more than 100,000 are not counted.
    events: i64,
    /// Age of the oldest of them in seconds; 0 if there is none.
    seconds: f64,
}

/// How many dead letters a projection has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct DeadLettersOfProjection {
    /// The projection.
    projection: String,
    /// Open dead letters.
    #[serde(rename = "letters")]
    dead_letters: i64,
}

async fn now(pool: &PgPool) -> Result<Pipeline, sqlx::Error> {
    let waiting =
        "SELECT count(*) AS events, coalesce(extract(epoch FROM now() - min(event_time)), 0)::float8 AS seconds
        FROM (SELECT event_time FROM document_outbox LIMIT 100000) AS o";
    let dead_letters = "SELECT projection, count(*) AS dead_letters FROM dead_letters
        WHERE state IN ('parked', 'queued', 'retrying') GROUP BY projection ORDER BY projection";
    Ok(Pipeline {
        at: Utc::now(),
        projections: lag::projections(pool).await?,
        tenants: lag::tenant_lag(pool).await?,
        documents_waiting: sqlx::query_as(waiting).fetch_one(pool).await?,
        nodes: nodes::recent(pool).await?,
        dead_letters: sqlx::query_as(dead_letters).fetch_all(pool).await?,
        probe: probes::last(pool).await?,
    })
}

/// Everything between a command and a hit, now.
#[utoipa::path(get, path = "/v1/console/pipeline", tag = "console",
    responses((status = 200, description = "Each station with what waits there", body = Pipeline)))]
pub async fn pipeline(State(app): State<App>) -> Result<Json<Pipeline>, Refusal> {
    Ok(Json(now(&app.pool).await?))
}
