//! Lag, index and dead letters.

use super::{Refusal, context::ReadContext};
use crate::{
    App,
    queries::status::{self, DeadLetter, Projection},
};
use axum::{Json, extract::State};
use serde_json::{Value, json};

/// How far each projection is behind.
#[utoipa::path(get, path = "/v1/status/lag", tag = "status",
    responses((status = 200, description = "`ok`, and each projection with its partitions", body = Vec<Projection>)))]
pub async fn lag(State(app): State<App>) -> Result<Json<Value>, Refusal> {
    let projections = status::lag(&app.pool).await?;
    let ok = projections.iter().all(|projection| !matches!(projection.trend.as_str(), "growing" | "stalled"));
    Ok(Json(json!({"ok": ok, "projections": projections})))
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
