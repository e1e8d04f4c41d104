//! Products like a product, and why a product is not among the hits.

use super::search::{SearchBody, parameters, steer};
use crate::{
    app::App,
    freshness::Hop,
    problem::{Refusal, bounded},
    queries::search as searching,
    reads::products,
    request::{ReadContext, mark},
};
use ::search::query::SearchRequest;
use axum::{
    Json,
    extract::{Path, Query, RawQuery, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use schemas::ids::{ProductId, TenantId};
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
    let found = searching::similar(&app, snapshot, context.tenant, id, limit).await?;
    let (hits, by) = found.ok_or_else(|| Refusal::not_found("no such product in this shop"))?;
    Ok(mark(Json(json!({"hits": hits, "by": by})).into_response(), &verdict))
}

/// Why is my product not here?
///
/// Takes the parameters of a search and says of one product what it passes and what it doesn't.
#[utoipa::path(get, path = "/v1/search/why/{product}", tag = "search",
    params(("product" = String, Path, description = "souk's id, or the id it was imported under"), ("q" = Option<String>, Query, description = "As for a search, like all its parameters")),
    responses((status = 200, description = "`found`, `reason`, `checks`, `place`", body = Object), (status = 404, description = "No such product", body = Object)))]
pub async fn why(
    State(app): State<App>,
    context: ReadContext,
    Path(product): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let body: SearchBody = parameters::read(query.as_deref().unwrap_or_default())?;
    let verdict = context.wait(&app, Hop::Index).await?;
    let product = product_of(&app, context.tenant, &product).await?;
    let snapshot = app.index.get().ok_or_else(Refusal::no_index)?.snapshot();
    let mut request: SearchRequest = body.request(context.tenant)?;
    steer(&app, &context, &body, &snapshot, &mut request).await?;
    let why = searching::blocking(&app, move || ::search::lexical::why(&snapshot, &request, product)).await?;
    Ok(mark(Json(why).into_response(), &verdict))
}

async fn product_of(app: &App, tenant: TenantId, name: &str) -> Result<ProductId, Refusal> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    let found = products::id_of_external(&app.pool, tenant, name).await?;
    found.ok_or_else(|| Refusal::not_found("no product of that id in this shop"))
}
