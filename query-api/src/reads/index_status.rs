//! The index generation in use.

use crate::{
    app::App,
    problem::Refusal,
    read_model::{Expected, Isolation, ReadModel},
};
use axum::{Json, extract::State};
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The index generation in use.
pub const READ: ReadModel =
    ReadModel { routes, isolation: &[Isolation::of("/v1/status/index", "/v1/status/index", Expected::OfInstallation)] };

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(index))
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
        "records": snapshot.segments.searcher.num_docs(),
        "segments": snapshot.segments.searcher.segment_readers().len(),
    })))
}
