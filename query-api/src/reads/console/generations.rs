//! The index generations.

use super::{
    nodes::{self, QueryNode},
    operations::{self, Operation},
};
use crate::{
    app::App,
    problem::Refusal,
    read_model::{Isolation, ReadModel},
    rows,
};
use access::{Routes, Rule};
use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;
use sqlx::{PgPool, types};
use utoipa_axum::routes;

mod row;

use row::{Generation, GenerationCopy, GenerationRecord, IndexSwitch, VectorSet};

/// The index generations.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[Isolation::staff("/v1/console/generations"), Isolation::staff("/v1/console/generations/{name}")],
};

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Admin, routes!(generations)).allow(Rule::Admin, routes!(generation))
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

/// All generations, and everything about them that moves.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(Generations::example())))]
pub struct Generations {
    /// The active one, then the others, the newest first; at most a hundred.
    generations: Vec<Generation>,
    /// The copy of each generation on each node.
    copies: Vec<GenerationCopy>,
    /// Who answers from them.
    nodes: Vec<QueryNode>,
    /// The last switches of the active generation, the newest first.
    switches: Vec<IndexSwitch>,
    /// The sets of vectors, with the generations that want each.
    vectors: Vec<VectorSet>,
}

impl Generations {
    fn example() -> Self {
        Self {
            generations: vec![Generation::example()],
            copies: vec![GenerationCopy::example()],
            nodes: vec![QueryNode::example()],
            switches: vec![IndexSwitch::example()],
            vectors: vec![VectorSet::example()],
        }
    }
}

/// One generation, whole.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(GenerationDetail::example())))]
pub struct GenerationDetail {
    /// What is recorded of it.
    #[serde(flatten)]
    record: GenerationRecord,
    /// What was done with it, the newest first.
    operations: Vec<Operation>,
    /// All generations: what can be done with one depends on the others.
    others: Vec<Generation>,
}

impl GenerationDetail {
    fn example() -> Self {
        let operations = vec![Operation::example()];
        Self { record: GenerationRecord::example(), operations, others: vec![Generation::example()] }
    }
}

/// All generations with their copies and sets of vectors, the nodes that answer from them, and the last switches.
async fn all(pool: &PgPool) -> Result<Generations, sqlx::Error> {
    let switches = sqlx::query_scalar(
        "SELECT to_jsonb(t) FROM (
           SELECT epoch, generation, previous, kind, actor, reason, at FROM index_switches ORDER BY epoch DESC LIMIT $1) AS t",
    )
    .bind(RECENT)
    .fetch_all(pool)
    .await?;
    Ok(Generations {
        generations: listed(pool).await?,
        copies: rows::plain(sqlx::query_scalar(COPIES).fetch_all(pool).await?),
        nodes: nodes::recent(pool).await?,
        switches: rows::plain(switches),
        vectors: rows::plain(sqlx::query_scalar(SETS).fetch_all(pool).await?),
    })
}

async fn listed(pool: &PgPool) -> Result<Vec<Generation>, sqlx::Error> {
    let found = sqlx::query_scalar(
        "SELECT to_jsonb(t) FROM (
           SELECT generation, state, revision, manifest -> 'bundle' ->> 'name' AS bundle, manifest ->> 'bundle_hash' AS bundle_hash,
                  source, basis, rate_limit, at_once, paused, canary, created_by, note, created_at, activated_at,
                  certificate IS NOT NULL AS has_certificate, comparison IS NOT NULL AS has_comparison
           FROM index_generations ORDER BY state = 'active' DESC, created_at DESC, generation DESC LIMIT 100) AS t",
    )
    .fetch_all(pool)
    .await?;
    Ok(rows::plain(found))
}

/// One generation with its manifest, certificate, comparison and what was done with it.
async fn one(pool: &PgPool, name: &str) -> Result<Option<GenerationDetail>, sqlx::Error> {
    let found: Option<types::Json<GenerationRecord>> =
        sqlx::query_scalar("SELECT to_jsonb(g) FROM index_generations AS g WHERE generation = $1")
            .bind(name)
            .fetch_optional(pool)
            .await?;
    let Some(types::Json(record)) = found else { return Ok(None) };
    let operations = operations::of_generation(pool, name, RECENT).await?;
    Ok(Some(GenerationDetail { record, operations, others: listed(pool).await? }))
}

/// The index generations, their copies, who answers from them, and the last switches.
#[utoipa::path(get, path = "/v1/console/generations", tag = "console",
    responses((status = 200, description = "Everything about them that moves", body = Generations)))]
pub async fn generations(State(app): State<App>) -> Result<Json<Generations>, Refusal> {
    Ok(Json(all(&app.pool).await?))
}

/// One index generation with manifest, certificate and comparison.
#[utoipa::path(get, path = "/v1/console/generations/{name}", tag = "console", params(("name" = String, Path, description = "The generation")),
    responses((status = 200, description = "The generation", body = GenerationDetail), (status = 404, description = "No such generation")))]
pub async fn generation(State(app): State<App>, Path(name): Path<String>) -> Result<Json<GenerationDetail>, Refusal> {
    let found = one(&app.pool, &name).await?;
    found.map(Json).ok_or_else(|| Refusal::not_found("there is no such generation"))
}
