//! `GET /v1/products/{id}/similar`: products like a product.

use crate::{
    app::App,
    freshness::Hop,
    problem::{Refusal, bounded},
    request::{ReadContext, mark},
};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use schemas::ids::ProductId;
use serde::Deserialize;
use serde_json::json;

const DEFAULT_LIMIT: usize = 8;
const MAX_LIMIT: usize = 50;

/// What similar products take.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// Most products, 1 to 50, default 8
    limit: Option<usize>,
}

/// Products like this one, by meaning, or by words where it has no vector yet.
#[utoipa::path(get, path = "/v1/products/{id}/similar", tag = "search",
    params(("id" = String, Path, description = "souk's id"), Parameters),
    responses((status = 200, description = "`hits`, the most similar first, and `by`: vectors or words", body = Object), (status = 404, description = "No such product", body = Object)))]
pub async fn similar(
    State(app): State<App>,
    context: ReadContext,
    Path(id): Path<String>,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(Parameters { limit }) = parameters?;
    let limit = bounded("limit", limit.unwrap_or(DEFAULT_LIMIT), 1, MAX_LIMIT)?;
    let id: ProductId = id.parse().map_err(|_| Refusal::parameter("id", "a UUID is expected"))?;
    let verdict = context.wait(&app, Hop::Index).await?;
    let snapshot = app.index.get().ok_or_else(Refusal::no_index)?.snapshot();
    let found = app.searcher.similar(&snapshot, context.tenant, id, limit, &app.vectors).await?;
    let found = found.ok_or_else(|| Refusal::not_found("no such product in this shop"))?;
    Ok(mark(Json(json!({"hits": found.hits, "by": found.by})).into_response(), &verdict))
}
