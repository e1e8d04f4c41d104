//! `GET /v1/facets/{field}`: one facet, and a search among its values.

use super::{FacetBody, FacetSettings, parameters, steer};
use crate::{
    app::App,
    freshness::{Hop, Seen},
    problem::Refusal,
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
};
use ::search::query::{FacetCounts, SearchRequest};
use axum::{
    Json,
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Response},
};

/// The values of one facet for a search, or those of them that hold a text.
#[utoipa::path(get, path = "/v1/facets/{field}", tag = "search",
    params(("field" = String, Path, description = "brand, category, price, available, product_type or attr.<name>"),
        ("search" = Option<String>, Query, description = "Only values with this in them"),
        ("order" = Option<String>, Query, description = "count (default) or value"),
        ("facet_limit" = Option<u32>, Query, description = "Most values, 1 to 100, default 10"),
        ("q" = Option<String>, Query, description = "As for a search, like `filter` and the rest"), ReadHeaders, ReadParameters),
    responses((status = 200, description = "The facet", body = FacetCounts), (status = 400, description = "A parameter is wrong")))]
pub async fn facet(
    State(app): State<App>,
    context: ReadContext,
    Path(field): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = query.unwrap_or_default();
    let own = |name: &str| name == "search" || name == "order";
    let (settings, rest): (Vec<_>, Vec<_>) = serde_urlencoded::from_str::<Vec<(String, String)>>(&query)
        .unwrap_or_default()
        .into_iter()
        .partition(|(name, _)| own(name));
    let value = |wanted: &str| settings.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    let mut body = parameters::read(&serde_urlencoded::to_string(rest).unwrap_or_default())?;
    body.facets = vec![FacetBody::Settings(FacetSettings {
        field,
        search: value("search"),
        order: value("order"),
        ..FacetSettings::default()
    })];
    let mut request = SearchRequest { limit: 0, offset: 0, ..body.request(context.tenant)? };
    let Seen { snapshot, verdict } = context.see(&app, Hop::Index, None).await?;
    steer(&app, &context, &body, &snapshot, &mut request).await?;
    let mut facets: Vec<FacetCounts> = app.searcher.facets(&snapshot, request).await?;
    Ok(mark(Json(facets.pop()).into_response(), &verdict))
}
