//! What operators did, and what the reconciler found.

use crate::{
    app::App,
    problem::Refusal,
    read_model::{Isolation, ReadModel},
    staff::Staff,
};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgPool;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What operators did, and what the reconciler found.
pub const READ: ReadModel = ReadModel { routes, isolation: &[Isolation::staff("/v1/console/operations")] };

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(operations))
}

const MAX_OPERATIONS: i64 = 500;

/// What operators did and what the reconciler found, the newest first.
async fn recent(pool: &PgPool, limit: i64) -> Result<Value, sqlx::Error> {
    let operations: Vec<Value> =
        sqlx::query_scalar("SELECT to_jsonb(t) FROM (SELECT * FROM operations ORDER BY id DESC LIMIT $1) AS t")
            .bind(limit)
            .fetch_all(pool)
            .await?;
    let reconciliations: Vec<Value> =
        sqlx::query_scalar("SELECT to_jsonb(t) FROM (SELECT * FROM reconciliations ORDER BY id DESC LIMIT 20) AS t")
            .fetch_all(pool)
            .await?;
    Ok(json!({"operations": operations, "reconciliations": reconciliations}))
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
    responses((status = 200, description = "`operations`, `reconciliations`, the newest first", body = Object), (status = 401, description = "The staff key is missing", body = Object)))]
pub async fn operations(
    State(app): State<App>,
    _: Staff,
    most: Result<Query<Most>, QueryRejection>,
) -> Result<Json<Value>, Refusal> {
    let limit = most?.limit.unwrap_or(100).clamp(1, MAX_OPERATIONS);
    Ok(Json(recent(&app.pool, limit).await?))
}
