//! What operators did, and what the reconciler found.

use crate::{
    app::App,
    example,
    problem::Refusal,
    read_model::{Isolation, ReadModel},
    rows,
};
use access::{Routes, Rule};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use schemas::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::PgPool;
use utoipa_axum::routes;

/// What operators did, and what the reconciler found.
pub const READ: ReadModel = ReadModel { routes, isolation: &[Isolation::staff("/v1/console/operations")] };

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Admin, routes!(operations))
}

const MAX_OPERATIONS: i64 = 500;

/// What operators did, and what the reconciler found.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(Operations::example())))]
pub struct Operations {
    /// What operators did, the newest first.
    operations: Vec<Operation>,
    /// The last twenty runs of the reconciler, the newest first.
    reconciliations: Vec<Reconciliation>,
}

impl Operations {
    fn example() -> Self {
        let reconciliation = Reconciliation {
            id: 4,
            at: example::moment(),
            actor: "operator".to_owned(),
            checked: 20_000,
            wrong: 0,
            mended: 0,
            report: example::no_fields(),
        };
        Self { operations: vec![Operation::example()], reconciliations: vec![reconciliation] }
    }
}

/// Something that an operator did.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Operation {
    /// Its number.
    id: i64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who.
    actor: String,
    /// What, such as `generation.promote` or `dead_letter.discard`.
    action: String,
    /// To what: the name of the generation, the number of the dead letter.
    subject: String,
    /// What else is known of it; its fields depend on the action.
    #[schema(value_type = Object)]
    detail: Box<RawValue>,
}

impl Operation {
    /// As the examples show it.
    #[must_use]
    pub fn example() -> Self {
        Self {
            id: 31,
            at: example::moment(),
            actor: "operator".to_owned(),
            action: "generation.promote".to_owned(),
            subject: example::GENERATION.to_owned(),
            detail: example::no_fields(),
        }
    }
}

/// A run of the reconciler.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Reconciliation {
    /// Its number.
    id: i64,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who asked for it.
    actor: String,
    /// Rows that were compared.
    checked: i64,
    /// Of them, those that differed.
    wrong: i64,
    /// Of those, the ones that were put right.
    mended: i64,
    /// What differed, as the reconciler wrote it.
    #[schema(value_type = Object)]
    report: Box<RawValue>,
}

async fn recent(pool: &PgPool, limit: i64) -> Result<Operations, sqlx::Error> {
    let operations =
        sqlx::query_scalar("SELECT to_jsonb(t) FROM (SELECT * FROM operations ORDER BY id DESC LIMIT $1) AS t")
            .bind(limit)
            .fetch_all(pool)
            .await?;
    let reconciliations =
        sqlx::query_scalar("SELECT to_jsonb(t) FROM (SELECT * FROM reconciliations ORDER BY id DESC LIMIT 20) AS t")
            .fetch_all(pool)
            .await?;
    Ok(Operations { operations: rows::plain(operations), reconciliations: rows::plain(reconciliations) })
}

/// What was done with a generation, the newest first.
///
/// # Errors
/// The database's.
pub async fn of_generation(pool: &PgPool, generation: &str, limit: i64) -> Result<Vec<Operation>, sqlx::Error> {
    let found = sqlx::query_scalar(
        "SELECT to_jsonb(o) FROM operations AS o WHERE subject = $1 AND action LIKE 'generation.%' ORDER BY id DESC LIMIT $2",
    )
    .bind(generation)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    Ok(rows::plain(found))
}

/// How many.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Most {
    /// 1 to 500, default 100
    limit: Option<i64>,
}

/// What operators did, and what the reconciler found.
#[utoipa::path(get, path = "/v1/console/operations", tag = "console", params(Most),
    responses((status = 200, description = "Both, the newest first", body = Operations)))]
pub async fn operations(
    State(app): State<App>,
    most: Result<Query<Most>, QueryRejection>,
) -> Result<Json<Operations>, Refusal> {
    let limit = most?.limit.unwrap_or(100).clamp(1, MAX_OPERATIONS);
    Ok(Json(recent(&app.pool, limit).await?))
}
