//! The products of a category.

mod page;

use crate::{
    app::App,
    example,
    freshness::Hop,
    problem::Refusal,
    read_model::{Expected, Isolation, ReadModel},
    reads::categories,
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use page::{Cursor, Listing, Order};
use schemas::money::Currency;
use search::query::HitCard;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The products of a category.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[Isolation::of(
        "/v1/categories/{category}/products",
        "/v1/categories/lamps/products",
        Expected::NotFound,
    )],
};

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(products))
}

const DEFAULT_LIMIT: i64 = 24;
const MAX_LIMIT: i64 = 100;

/// A page of a category's products.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(ListingPage::example())))]
pub struct ListingPage {
    /// Published products in the category and below, on all pages.
    total: i64,
    /// The products of this page, as they were composed.
    #[schema(value_type = Vec<HitCard>)]
    products: Vec<Box<RawValue>>,
    /// What to send as `cursor` for the next page; null on the last one.
    next: Option<String>,
}

impl ListingPage {
    fn example() -> Self {
        let card = serde_json::value::to_raw_value(&example::card());
        Self { total: 42, products: card.into_iter().collect(), next: Some("7b226f72646572223a…".to_owned()) }
    }
}

/// What a listing takes.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// `title` (default), `newest` or `price`
    sort: Option<String>,
    /// Products on the page, 1 to 100, default 24
    limit: Option<i64>,
    /// The `next` of the page before
    cursor: Option<String>,
    /// Currency of `sort=price`, default USD
    currency: Option<String>,
}

/// The published products of a category and below, page by page.
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
    let verdict = context.wait(&app, Hop::Views).await?;
    let category = categories::find(&app.pool, context.tenant, &category).await?;
    let category = category.ok_or_else(|| Refusal::not_found("no category of that name in this shop"))?;
    let ask = ask(category, &parameters)?;
    let (products, next) = page::page(&app.pool, context.tenant, &ask).await?;
    let total = page::count(&app.pool, context.tenant, category).await?;
    let next = next.map(|cursor| encode(&cursor)).transpose()?;
    Ok(mark(Json(ListingPage { total, products, next }).into_response(), &verdict))
}

fn ask(category: schemas::Uuid, parameters: &Parameters) -> Result<Listing, Refusal> {
    let order = match parameters.sort.as_deref() {
        None | Some("title") => Order::Title,
        Some("newest") => Order::Newest,
        Some("price") => Order::Price,
        Some(_) => return Err(Refusal::parameter("sort", "title, newest or price is expected")),
    };
    let limit = parameters.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Refusal::parameter("limit", "1 to 100 products fit on a page"));
    }
    let currency = parameters.currency.as_deref().unwrap_or("USD");
    let currency: Currency = currency
        .parse()
        .map_err(|error: schemas::money::InvalidCurrency| Refusal::parameter("currency", error.to_string()))?;
    let after = parameters.cursor.as_deref().map(decode).transpose()?;
    if after.as_ref().is_some_and(|cursor| cursor.order != order) {
        return Err(Refusal::parameter("cursor", "it belongs to another sort order"));
    }
    Ok(Listing { category, order, currency: currency.to_string(), limit, after })
}

/// A cursor as hexadecimal JSON: opaque to clients, readable to us.
fn encode(cursor: &Cursor) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_vec(cursor)?.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn decode(text: &str) -> Result<Cursor, Refusal> {
    let refused = || Refusal::parameter("cursor", "it is not one that a page gave as `next`");
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(refused());
    }
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    serde_json::from_slice(&bytes.ok_or_else(refused)?).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_cursor_is_read_or_refused(text in "([0-9a-f]{2}|\\PC){0,40}") {
            let _ = decode(&text);
        }
    }

    #[test]
    fn a_cursor_leads_back() {
        let cursor = Cursor {
            order: Order::Price,
            title: None,
            released_at: None,
            price: Some(5),
            product_id: schemas::Uuid::from_u128(7),
        };
        assert_eq!(decode(&encode(&cursor).expect("written")).ok(), Some(cursor));
    }
}
