//! The products of a category: a search without words, steered by what staff have defined like any other.

use crate::{
    app::App,
    cursor::Cursor,
    example,
    freshness::{Hop, Seen},
    problem::Refusal,
    read_model::{Expected, Isolation, ReadModel},
    reads::{
        categories,
        search::{SearchBody, steer},
    },
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
};
use ::search::{
    budget::Budget,
    query::{HitCard, SearchRequest, Sort},
    searcher::{Mode, Question, SearchAnswer},
};
use access::{Routes, Rule};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use schemas::{
    filter::{Field, Filter, Test},
    ids::TenantId,
    money::Currency,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa_axum::routes;

/// The products of a category.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[Isolation::of(
        "/v1/categories/{category}/products",
        "/v1/categories/lamps/products",
        Expected::NotFound,
    )],
};

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Search, routes!(products))
}

const DEFAULT_LIMIT: usize = 24;
const MAX_LIMIT: usize = 100;
/// What a page may take before it is answered with what there is.
const BUDGET: Duration = Duration::from_secs(2);

/// A page of a category's products.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(ListingPage::example())))]
pub struct ListingPage {
    /// Published products in the category and below, on all pages.
    total: usize,
    /// The products of this page, as they were composed.
    products: Vec<HitCard>,
    /// What to send as `cursor` for the next page; null on the last one.
    next: Option<String>,
    /// What could not be done as asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    degraded: Option<String>,
}

impl ListingPage {
    fn example() -> Self {
        Self { total: 42, products: vec![example::card()], next: Some("title.eyJnIjoi…".to_owned()), degraded: None }
    }
}

/// What a listing takes.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// `title`, `newest` or `price`; if absent, what staff and shoppers prefer comes first, then by title
    sort: Option<String>,
    /// Products on the page, 1 to 100, default 24
    limit: Option<usize>,
    /// The `next` of the page before
    cursor: Option<String>,
    /// Currency of `sort=price`, default USD
    currency: Option<String>,
}

/// The published products of a category and below, page by page.
///
/// They stand in the order that staff's rules and boosts ask for. Pages of one cursor are of the index as it was when
/// they began, for two minutes; a page that is not says so in `degraded`.
#[utoipa::path(get, path = "/v1/categories/{category}/products", tag = "catalog",
    params(("category" = String, Path, description = "Slug or id"), Parameters, ReadHeaders, ReadParameters),
    responses((status = 200, description = "A page", body = ListingPage), (status = 400, description = "A parameter is wrong"), (status = 404, description = "No such category")))]
pub async fn products(
    State(app): State<App>,
    context: ReadContext,
    Path(category): Path<String>,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(parameters) = parameters?;
    let mut seen = context.see(&app, Hop::Index, None).await?;
    let category = categories::find(&app.pool, context.tenant, &category).await?;
    let category = category.ok_or_else(|| Refusal::not_found("no category of that name in this shop"))?;
    let mut request = request(context.tenant, category, &parameters)?;
    let order = parameters.sort.as_deref().unwrap_or(SHELF);
    let mut degraded = None;
    if let Some(cursor) = parameters.cursor.as_deref().map(|cursor| read(cursor, order)).transpose()? {
        request.offset = cursor.offset;
        (seen, degraded) = context.resume(&app, seen, &cursor).await?;
    }
    let Seen { snapshot, verdict } = seen;
    request.budget = Some(Budget::of(BUDGET));
    steer(&app, &context, &SearchBody::default(), &snapshot, &mut request).await?;
    let end = request.offset + request.limit;
    let question = Question { request, mode: Mode::Lexical, suiting: None };
    let found = app.searcher.search(&snapshot, question, &app.vectors).await?;
    let more = end < found.total && !found.hits.is_empty();
    let next = more.then(|| format!("{order}.{}", context.cursor(&app, snapshot, end)));
    Ok(mark(Json(page(found, next, degraded)).into_response(), &verdict))
}

/// The order of a listing that is asked for in none, in cursors.
const SHELF: &str = "shelf";

fn request(tenant: TenantId, category: String, parameters: &Parameters) -> Result<SearchRequest, Refusal> {
    let currency: Currency = match parameters.currency.as_deref() {
        Some(code) => code
            .parse()
            .map_err(|error: schemas::money::InvalidCurrency| Refusal::parameter("currency", error.to_string()))?,
        None => Currency::USD,
    };
    let sort = match parameters.sort.as_deref() {
        None => Sort::Shelf,
        Some("title") => Sort::Title,
        Some("newest") => Sort::Newest,
        Some("price") => Sort::PriceAscending(currency),
        Some(_) => return Err(Refusal::parameter("sort", "title, newest or price is expected")),
    };
    let limit = parameters.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Refusal::parameter("limit", "1 to 100 products fit on a page"));
    }
    let filter = Some(Filter::Is(Field::Category, Test::In(vec![category])));
    Ok(SearchRequest { filter, sort, currency, ..SearchRequest::text(tenant, "", limit) })
}

fn page(found: SearchAnswer, next: Option<String>, degraded: Option<String>) -> ListingPage {
    ListingPage { total: found.total, products: found.hits.into_iter().map(|hit| hit.card).collect(), next, degraded }
}

/// A cursor, which belongs to one order.
fn read(text: &str, order: &str) -> Result<Cursor, Refusal> {
    let refused = || Refusal::parameter("cursor", "it is not one that a page gave as `next`");
    let (of, cursor) = text.split_once('.').ok_or_else(refused)?;
    let cursor = cursor.parse().map_err(|_| refused())?;
    if of != order {
        return Err(Refusal::parameter("cursor", "it belongs to another sort order"));
    }
    Ok(cursor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_cursor_is_read_or_refused(text in "(title\\.)?([0-9a-f]{2}|\\PC){0,40}") {
            let _ = read(&text, "title");
        }
    }

    #[test]
    fn a_cursor_leads_back_in_its_own_order() {
        let cursor = Cursor::example(24);
        let text = format!("price.{cursor}");
        assert_eq!(read(&text, "price").ok(), Some(cursor));
        assert!(read(&text, "title").is_err());
    }
}
