//! `GET /v1/search/why/{product}`: why a product is not among the hits.

use super::{SearchBody, parameters, steer};
use crate::{
    app::App,
    freshness::{Hop, Seen},
    problem::Refusal,
    reads::products,
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
};
use ::search::{lexical::Why, query::SearchRequest};
use axum::{
    Json,
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Response},
};
use schemas::ids::{ProductId, TenantId};

/// Why is my product not here?
///
/// Takes the parameters of a search and says of one product what it passes and what it doesn't.
#[utoipa::path(get, path = "/v1/search/why/{product}", tag = "search",
    params(("product" = String, Path, description = "souk's id, or the id it was imported under"), ("q" = Option<String>, Query, description = "As for a search, like all its parameters"), ReadHeaders, ReadParameters),
    responses((status = 200, description = "What the product passes and what it does not", body = Why), (status = 404, description = "No such product")))]
pub async fn why(
    State(app): State<App>,
    context: ReadContext,
    Path(product): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let body: SearchBody = parameters::read(query.as_deref().unwrap_or_default())?;
    let Seen { snapshot, verdict } = context.see(&app, Hop::Index, None).await?;
    let product = product_of(&app, context.tenant, &product).await?;
    let mut request: SearchRequest = body.request(context.tenant)?;
    steer(&app, &context, &body, &snapshot, &mut request).await?;
    let why: Why = app.searcher.why(&snapshot, request, product).await?;
    Ok(mark(Json(why).into_response(), &verdict))
}

async fn product_of(app: &App, tenant: TenantId, name: &str) -> Result<ProductId, Refusal> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    let found = products::id_of_external(&app.pool, tenant, name).await?;
    found.ok_or_else(|| Refusal::not_found("no product of that id in this shop"))
}
