//! Lag, index and dead letters.

use super::{Refusal, context::ReadContext};
use crate::{
    App,
    queries::status::{self, DeadLetter, Projection, TenantLag},
};
use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::{Value, json};

/// How far each projection is behind.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Lag {
    /// Whether no lag grows and nobody has stopped.
    ok: bool,
    /// Each projection with its partitions, and each relay.
    projections: Vec<Projection>,
    /// The hundred tenants that wait longest, the worst first; those of which nothing moved for a minute are left out.
    tenants: Vec<TenantLag>,
}

/// How far each projection is behind.
#[utoipa::path(get, path = "/v1/status/lag", tag = "status",
    responses((status = 200, description = "`ok`, each projection with its partitions, and the tenants that wait longest", body = Lag)))]
pub async fn lag(State(app): State<App>) -> Result<Json<Lag>, Refusal> {
    let (projections, tenants) = (status::lag(&app.pool).await?, status::tenant_lag(&app.pool).await?);
    let trouble = |one: &Projection| {
        matches!(one.trend.as_str(), "growing" | "stalled") || matches!(one.state.as_str(), "stall" | "stop")
    };
    Ok(Json(Lag { ok: !projections.iter().any(trouble), projections, tenants }))
}

/// The index generation in use and what it holds.
#[utoipa::path(get, path = "/v1/status/index", tag = "status",
    responses((status = 200, description = "Generation, documents and data version", body = Object), (status = 503, description = "No index is loaded", body = Object)))]
pub async fn index(State(app): State<App>) -> Result<Json<Value>, Refusal> {
    let handle = app.index.get().ok_or_else(Refusal::no_index)?;
    let snapshot = handle.snapshot();
    Ok(Json(json!({
        "generation": handle.manifest().generation,
        "manifest": handle.manifest(),
        "data_version": snapshot.data_version,
        "records": snapshot.searcher.num_docs(),
        "segments": snapshot.searcher.segment_readers().len(),
    })))
}

/// Events of this tenant that could not be applied.
#[utoipa::path(get, path = "/v1/status/dead-letters", tag = "status",
    responses((status = 200, description = "Open dead letters, oldest first", body = Vec<DeadLetter>)))]
pub async fn dead_letters(State(app): State<App>, context: ReadContext) -> Result<Json<Value>, Refusal> {
    Ok(Json(json!({"dead_letters": status::dead_letters(&app.pool, context.tenant).await?})))
}
