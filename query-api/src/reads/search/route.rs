//! `GET` and `POST /v1/search`: one search.

use super::{
    SearchBody,
    answer::{SearchResult, answered},
    parameters,
    run::run,
};
use crate::{
    app::App,
    problem::Refusal,
    request::{JsonBody, ReadContext, ReadHeaders, ReadParameters},
};
use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use std::time::Instant;

/// Find products.
///
/// Filters are repeatable and must all hold; each is in the filter language: `filter=brand:Canon,HP`,
/// `filter=price:1000..20000 AND NOT attr.color:red`, `filter=category:laptops OR attr.weight<1.5`,
/// `filter=attr.hdmi:*`, `filter=variant(attr.size:XL AND attr.color:"dark blue")`. Prices are in minor units.
#[utoipa::path(get, path = "/v1/search", tag = "search",
    params(
        ("q" = Option<String>, Query, description = "What the shopper typed, up to 512 characters; everything matches an empty text"),
        ("mode" = Option<String>, Query, description = "lexical (default), semantic or hybrid"),
        ("filter" = Option<Vec<String>>, Query, description = "Conditions, see above"),
        ("facets" = Option<String>, Query, description = "`*` for those that suit the search, or comma separated: brand, category, price, available, product_type, attr.<name>"),
        ("facet_limit" = Option<u32>, Query, description = "Most values of a facet, 1 to 100, default 10"),
        ("sort" = Option<String>, Query, description = "relevance (default), price, -price, title, released, -released, attr.<name>, -attr.<name>"),
        ("currency" = Option<String>, Query, description = "Currency of price filters and sorting, default USD"),
        ("limit" = Option<usize>, Query, description = "Hits on the page, 0 to 100, default 20"),
        ("offset" = Option<usize>, Query, description = "Hits to leave out, up to 10000"),
        ("cursor" = Option<String>, Query, description = "`*` to begin, then the `next` of the page before"),
        ("typing" = Option<bool>, Query, description = "The last word may be the beginning of one"),
        ("understand" = Option<bool>, Query, description = "Whether brands, prices, exclusions and the like are read out of the text, default true"),
        ("highlight" = Option<bool>, Query, description = "Titles and descriptions with the words marked, safe to put into HTML"),
        ("explain" = Option<bool>, Query, description = "Where each hit's score comes from"),
        ("steering" = Option<bool>, Query, description = "Whether staff's rules, synonyms and popularity apply, default true"),
        ("generation" = Option<String>, Query, description = "For staff: another generation that is open, such as one that is not promoted yet"),
        ("ranking.{name}" = Option<f64>, Query, description = "A ranking setting to try"),
        ReadHeaders, ReadParameters,
    ),
    responses((status = 200, description = "The hits, and what is to be known of them", body = SearchResult), (status = 400, description = "A parameter is wrong; `errors` says which, and where"), (status = 503, description = "The index is not loaded, or there is no model for semantic search")))]
pub async fn search(
    State(app): State<App>,
    context: ReadContext,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let body = parameters::read(query.as_deref().unwrap_or_default())?;
    let began = Instant::now();
    let (found, verdict) = run(&app, &context, &body).await?;
    Ok(answered(found, &verdict, began))
}

/// Find products, asked in JSON.
#[utoipa::path(post, path = "/v1/search", tag = "search", params(ReadHeaders, ReadParameters), request_body = SearchBody,
    responses((status = 200, description = "As for GET", body = SearchResult), (status = 400, description = "A field is wrong; `errors` says which, and where")))]
pub async fn search_json(
    State(app): State<App>,
    context: ReadContext,
    JsonBody(body): JsonBody<SearchBody>,
) -> Result<Response, Refusal> {
    let began = Instant::now();
    let (found, verdict) = run(&app, &context, &body).await?;
    Ok(answered(found, &verdict, began))
}
