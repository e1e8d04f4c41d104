//! The index generations.

use super::nodes;
use crate::{
    app::App,
    problem::Refusal,
    read_model::{Isolation, ReadModel},
    staff::Staff,
};
use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The index generations.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[Isolation::staff("/v1/console/generations"), Isolation::staff("/v1/console/generations/{name}")],
};

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(generations)).routes(routes!(generation))
}

/// Switches and operations that are shown with the generations.
const RECENT: i64 = 50;

const COPIES: &str = "SELECT to_jsonb(t) FROM (
    SELECT node, generation, phase, documents, expected, rate_per_second, lag_events, error,
           extract(epoch FROM now() - heartbeat_at)::float8 AS heartbeat_age_seconds
    FROM generation_copies ORDER BY generation, node) AS t";

/// The sets of vectors, with the generations that want each.
const SETS: &str = "SELECT to_jsonb(t) FROM (
    SELECT key, phase, lag_events, rate_per_second, error,
           (SELECT count(*) FROM embeddings AS e WHERE e.model_id = s.key) AS vectors,
           (SELECT count(*) FROM documents WHERE NOT deleted) AS documents,
           (SELECT coalesce(jsonb_agg(generation ORDER BY generation), '[]') FROM index_generations
            WHERE manifest -> 'bundle' -> 'model' = s.model AND state NOT IN ('planned', 'failed', 'cancelled')) AS generations,
           extract(epoch FROM now() - heartbeat_at)::float8 AS heartbeat_age_seconds
    FROM vector_sets AS s ORDER BY key) AS t";

/// All generations with their copies and sets of vectors, the nodes that answer from them, and the last switches.
async fn all(pool: &PgPool) -> Result<Value, sqlx::Error> {
    let switches: Vec<Value> = sqlx::query_scalar(
        "SELECT to_jsonb(t) FROM (
           SELECT epoch, generation, previous, kind, actor, reason, at FROM index_switches ORDER BY epoch DESC LIMIT $1) AS t",
    )
    .bind(RECENT)
    .fetch_all(pool)
    .await?;
    let copies: Vec<Value> = sqlx::query_scalar(COPIES).fetch_all(pool).await?;
    let nodes = nodes::recent(pool).await?;
    let sets: Vec<Value> = sqlx::query_scalar(SETS).fetch_all(pool).await?;
    Ok(json!({
        "generations": listed(pool).await?, "copies": copies, "nodes": nodes, "switches": switches, "vectors": sets,
    }))
}

async fn listed(pool: &PgPool) -> Result<Vec<Value>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT to_jsonb(t) FROM (
           SELECT generation, state, revision, manifest -> 'bundle' ->> 'name' AS bundle, manifest ->> 'bundle_hash' AS bundle_hash,
                  source, basis, rate_limit, at_once, paused, canary, created_by, note, created_at, activated_at,
                  certificate IS NOT NULL AS has_certificate, comparison IS NOT NULL AS has_comparison
           FROM index_generations ORDER BY state = 'active' DESC, created_at DESC, generation DESC LIMIT 100) AS t",
    )
    .fetch_all(pool)
    .await
}

/// One generation with its manifest, certificate, comparison and what was done with it.
async fn one(pool: &PgPool, name: &str) -> Result<Option<Value>, sqlx::Error> {
    let found: Option<Value> =
        sqlx::query_scalar("SELECT to_jsonb(g) FROM index_generations AS g WHERE generation = $1")
            .bind(name)
            .fetch_optional(pool)
            .await?;
    let Some(mut found) = found else { return Ok(None) };
    let operations: Vec<Value> = sqlx::query_scalar(
        "SELECT to_jsonb(o) FROM operations AS o WHERE subject = $1 AND action LIKE 'generation.%' ORDER BY id DESC LIMIT $2",
    )
    .bind(name)
    .bind(RECENT)
    .fetch_all(pool)
    .await?;
    found["operations"] = operations.into();
    // What can be done with one depends on what others there are.
    found["others"] = listed(pool).await?.into();
    Ok(Some(found))
}

/// The index generations, their copies, who answers from them, and the last switches.
#[utoipa::path(get, path = "/v1/console/generations", tag = "console",
    responses((status = 200, description = "`generations`, `copies`, `nodes`, `switches`, `vectors`", body = Object), (status = 401, description = "The staff key is missing", body = Object)))]
pub async fn generations(State(app): State<App>, _: Staff) -> Result<Json<Value>, Refusal> {
    Ok(Json(all(&app.pool).await?))
}

/// One index generation with manifest, certificate and comparison.
#[utoipa::path(get, path = "/v1/console/generations/{name}", tag = "console", params(("name" = String, Path, description = "The generation")),
    responses((status = 200, description = "The generation", body = Object), (status = 401, description = "The staff key is missing", body = Object), (status = 404, description = "No such generation", body = Object)))]
pub async fn generation(State(app): State<App>, _: Staff, Path(name): Path<String>) -> Result<Json<Value>, Refusal> {
    let found = one(&app.pool, &name).await?;
    found.map(Json).ok_or_else(|| Refusal::not_found("there is no such generation"))
}
