//! Everything between a command and a hit, now.

use super::nodes;
use crate::{
    app::App,
    problem::Refusal,
    read_model::{Isolation, ReadModel},
    reads::lag::{self, Projection, TenantLag},
    staff::Staff,
};
use axum::{Json, extract::State, routing::get};
use schemas::{Timestamp, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgPool;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Everything between a command and a hit, now.
pub const READ: ReadModel = ReadModel { routes, isolation: &[Isolation::staff("/v1/console/pipeline")] };

/// The second path is the older name, kept for one release.
fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(pipeline)).route("/v1/console/road", get(pipeline))
}

/// Everything between a command and a hit, at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Pipeline {
    at: Timestamp,
    projections: Vec<Projection>,
    tenants: Vec<TenantLag>,
    documents_waiting: Value,
    nodes: Vec<Value>,
    dead_letters: Vec<Value>,
    probe: Option<Value>,
}

/// The pipeline now.
async fn now(pool: &PgPool) -> Result<Pipeline, sqlx::Error> {
    let waiting = "SELECT to_jsonb(t) FROM (
        SELECT count(*) AS events, coalesce(extract(epoch FROM now() - min(event_time)), 0)::float8 AS seconds
        FROM (SELECT event_time FROM document_outbox LIMIT 100000) AS o) AS t";
    let letters = "SELECT to_jsonb(t) FROM (
        SELECT projection, count(*) AS letters FROM dead_letters WHERE state IN ('parked', 'queued', 'retrying')
        GROUP BY projection ORDER BY projection) AS t";
    let probe = "SELECT to_jsonb(t) FROM (
        SELECT at, outcome, write_ms, searchable_ms, error FROM probes ORDER BY id DESC LIMIT 1) AS t";
    Ok(Pipeline {
        at: Utc::now(),
        projections: lag::projections(pool).await?,
        tenants: lag::tenant_lag(pool).await?,
        documents_waiting: sqlx::query_scalar(waiting).fetch_one(pool).await?,
        nodes: nodes::recent(pool).await?,
        dead_letters: sqlx::query_scalar(letters).fetch_all(pool).await?,
        probe: sqlx::query_scalar(probe).fetch_optional(pool).await?,
    })
}

/// Everything between a command and a hit, now.
#[utoipa::path(get, path = "/v1/console/pipeline", tag = "console",
    responses((status = 200, description = "`projections`, `tenants`, `documents_waiting`, `nodes`, `dead_letters`, `probe`", body = Object), (status = 401, description = "The staff key is missing", body = Object)))]
pub async fn pipeline(State(app): State<App>, _: Staff) -> Result<Json<Pipeline>, Refusal> {
    Ok(Json(now(&app.pool).await?))
}
