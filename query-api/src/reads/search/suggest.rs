//! `GET /v1/suggest`: what a query may become while it is typed.

use super::{
    SearchBody, steer,
    suggested::{SuggestResult, SuggestedBrand, SuggestedCategory, SuggestedProduct, SuggestedQuery},
    text,
};
use crate::{
    app::App,
    freshness::{Hop, Seen},
    popularity,
    problem::{Refusal, bounded},
    reads::categories,
    request::{ReadContext, ReadHeaders, ReadParameters, mark, took_ms},
};
use ::search::{highlight::Marker, query::SearchRequest};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::time::Instant;

const DEFAULT_LIMIT: usize = 6;
const MAX_LIMIT: usize = 20;

/// What suggestions take.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// What has been typed
    #[serde(default)]
    q: String,
    /// Most of each kind, 1 to 20, default 6
    limit: Option<usize>,
}

/// Queries, products, categories and brands that a text may become.
#[utoipa::path(get, path = "/v1/suggest", tag = "search", params(Parameters, ReadHeaders, ReadParameters),
    responses((status = 200, description = "What the text may become; each `highlight` is safe to put into HTML", body = SuggestResult)))]
pub async fn suggest(
    State(app): State<App>,
    context: ReadContext,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(Parameters { q, limit }) = parameters?;
    let limit = bounded("limit", limit.unwrap_or(DEFAULT_LIMIT), 1, MAX_LIMIT)?;
    text(&q)?;
    let began = Instant::now();
    let Seen { snapshot, verdict } = context.see(&app, Hop::Index, None).await?;
    let mut request = SearchRequest {
        typing: true,
        highlight: true,
        ..SearchRequest::text(context.tenant, &q, if q.trim().is_empty() { 0 } else { limit })
    };
    steer(&app, &context, &SearchBody::default(), &snapshot, &mut request).await?;
    let words: Vec<String> = q.split_whitespace().map(str::to_lowercase).collect();
    let mut marker = Marker::new(&snapshot, &words, true);
    let (found, products) = app.searcher.suggest(&snapshot, q.clone(), limit, request).await?;
    // What shoppers have searched for goes before what the catalog's words make likely.
    let mut queries = popularity::queries(&app.pool, context.tenant, &q, limit).await?;
    let likely = found.queries.iter().filter(|query| !queries.contains(query)).cloned().collect::<Vec<_>>();
    queries.extend(likely);
    queries.truncate(limit);
    let names = categories::names(&app.pool, context.tenant, &found.categories).await?;
    let mut highlighted = |text: &str| marker.text(text);
    let result = SuggestResult {
        queries: queries.into_iter().map(|text| SuggestedQuery { highlight: highlighted(&text), text }).collect(),
        products: products.into_iter().map(SuggestedProduct::new).collect(),
        categories: names
            .into_iter()
            .map(|named| SuggestedCategory {
                highlight: highlighted(&named.name),
                slug: named.slug,
                name: named.name,
                path: named.path,
                count: named.products,
            })
            .collect(),
        brands: found
            .brands
            .into_iter()
            .map(|(value, count)| SuggestedBrand { highlight: highlighted(&value), value, count })
            .collect(),
        took_ms: took_ms(began),
    };
    Ok(mark(Json(result).into_response(), &verdict))
}
