//! Orders: for whoever has bought, and for staff. Nothing personal stands in them.

use crate::{
    app::App,
    example,
    problem::Refusal,
    read_model::{Expected, Isolation, ReadModel},
    reads::carts::example_quote,
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
};
use access::{Caller, Permission, Routes, Rule, key};
use axum::{
    Json,
    extract::{FromRequestParts, Path, Query, State, rejection::QueryRejection},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use schemas::{
    Timestamp, Uuid,
    buyer::Buyer,
    order::OrderStatus,
    problem::{Code, Problem},
    quote::{Quote, QuoteGroup},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::HashMap;
use utoipa_axum::routes;

/// Orders.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[
        Isolation::of("/v1/orders", "/v1/orders", Expected::StaffOnly),
        Isolation::of("/v1/orders/{id}", "/v1/orders/0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b", Expected::StaffOnly),
        Isolation::of("/v1/staff/orders", "/v1/staff/orders", Expected::NothingYet("/orders")),
        Isolation::of(
            "/v1/staff/orders/{id}",
            "/v1/staff/orders/0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b",
            Expected::StaffOnly,
        ),
    ],
};

const STAFF: Rule = Rule::Staff(Permission::OrdersRead);
/// Orders of one page, unless it is said, and at most.
const USUAL: u32 = 50;
const MOST: u32 = 200;

fn routes() -> Routes<App> {
    Routes::default()
        .allow(Rule::Buyer, routes!(own))
        .allow(Rule::Shopper, routes!(by_id))
        .allow(STAFF, routes!(all))
        .allow(STAFF, routes!(for_staff))
}

/// Who asks, and by what they show that something is theirs.
#[derive(Debug, Clone)]
pub struct Seen {
    buyer: Option<Buyer>,
    /// Of the token that was sent.
    digest: Option<String>,
}

impl FromRequestParts<App> for Seen {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let access = Query::<HashMap<String, String>>::try_from_uri(&parts.uri).ok();
        let access = access.and_then(|Query(mut parameters)| parameters.remove("access"));
        let digest = access.as_deref().map(key::digest_text);
        let buyer = parts.extensions.get::<Caller>().and_then(Caller::buyer).map(|(_, buyer)| buyer);
        Ok(Self { buyer, digest })
    }
}

impl Seen {
    /// Whether something is theirs: they have bought it, or they have its token.
    #[must_use]
    pub fn may_see(&self, kind: &str, id: Uuid, access_digest: Option<&str>) -> bool {
        let is_buyer = self.buyer.is_some_and(|buyer| buyer.kind.as_str() == kind && buyer.id == id);
        is_buyer || (self.digest.is_some() && self.digest.as_deref() == access_digest)
    }
}

/// An order in a list.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct OrderCard {
    /// Its id.
    id: Uuid,
    /// Its version.
    version: i64,
    /// By which people call it, once it is confirmed.
    number: Option<String>,
    /// The word that is shown.
    status: String,
    /// How far it is paid.
    payment: String,
    /// How far the goods are.
    fulfilment: String,
    /// How it is paid: `card`, `transfer` or `cash_on_delivery`.
    payment_method: String,
    /// The country that the goods go to.
    country: Option<String>,
    /// ISO 4217 code.
    currency: String,
    /// What it costs, in minor units.
    total: i64,
    /// What has come so far, in minor units.
    paid: i64,
    /// What went back of it, in minor units.
    refunded: i64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
}

impl OrderCard {
    fn example() -> Self {
        Self {
            id: example::id(42),
            version: 4,
            number: Some("SO-1001".to_owned()),
            status: "paid".to_owned(),
            payment: "paid".to_owned(),
            fulfilment: "unfulfilled".to_owned(),
            payment_method: "card".to_owned(),
            country: Some("CO".to_owned()),
            currency: "USD".to_owned(),
            total: 11_056,
            paid: 11_056,
            refunded: 0,
            created_at: example::moment(),
            changed_at: example::moment(),
        }
    }
}

/// Orders, the newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(OrderList { orders: vec![OrderCard::example()], next: None })))]
pub struct OrderList {
    /// The orders of this page.
    orders: Vec<OrderCard>,
    /// The `before` of the next page; none after the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What became of an order.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct OrderStep {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What, such as `confirmed`.
    what: String,
    /// Who did it, as JSON: `process`, `buyer`, or `staff` with an id.
    done_by: String,
    /// Why, in a word.
    reason: Option<String>,
    /// Why, in the words of whoever did it; for staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// An order, whole.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(ShownOrder::example())))]
pub struct ShownOrder {
    /// What a list shows of it.
    #[serde(flatten)]
    card: OrderCard,
    /// The checkout that it was made by.
    checkout_id: Uuid,
    /// Lines, discounts, taxes and sums, as they were agreed on.
    #[schema(value_type = Quote)]
    quote: Box<RawValue>,
    /// The groups in which the goods are sent, by their names.
    groups: Vec<QuoteGroup>,
    /// What became of it, the oldest first.
    history: Vec<OrderStep>,
}

impl ShownOrder {
    fn example() -> Self {
        let step = |what: &str, done_by: &str| OrderStep {
            at: example::moment(),
            what: what.to_owned(),
            done_by: done_by.to_owned(),
            reason: None,
            note: None,
        };
        let history = vec![step("created", r#"{"kind":"buyer"}"#), step("confirmed", r#"{"kind":"process"}"#)];
        let quote = example_quote();
        let groups = quote.as_ref().map(Quote::groups).unwrap_or_default();
        let quote = quote.and_then(|quote| serde_json::value::to_raw_value(&quote).ok());
        let quote = quote.unwrap_or_else(|| RawValue::NULL.to_owned());
        Self { card: OrderCard::example(), checkout_id: example::id(40), quote, groups, history }
    }
}

/// Which page, and of which orders.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// Orders of the page, from 1 to 200
    limit: Option<u32>,
    /// `next` of the page before
    before: Option<String>,
    /// For staff: only orders of which this word is shown
    status: Option<String>,
    /// For staff: only the order of this number
    number: Option<String>,
}

/// Where a page begins: behind an order of this time and id.
struct Place(Option<(Timestamp, Uuid)>);

impl Page {
    fn place(&self) -> Result<Place, Refusal> {
        let Some(text) = &self.before else { return Ok(Place(None)) };
        let read = || {
            let (micros, id) = text.split_once('.')?;
            Some((Timestamp::from_timestamp_micros(micros.parse().ok()?)?, id.parse().ok()?))
        };
        read()
            .map(|place| Place(Some(place)))
            .ok_or_else(|| Refusal::parameter("before", "`next` of a page is expected"))
    }

    fn limit(&self) -> Result<i64, Refusal> {
        let limit = self.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(Refusal::parameter("limit", format!("a whole number from 1 to {MOST} is expected")));
        }
        Ok(i64::from(limit))
    }

    fn status(&self) -> Result<Option<&str>, Refusal> {
        let is_word = |text: &str| OrderStatus::ALL.iter().any(|word| word.as_str() == text);
        match self.status.as_deref() {
            Some(text) if !is_word(text) => Err(Refusal::parameter("status", "a word that orders show is expected")),
            status => Ok(status),
        }
    }
}

fn page(mut orders: Vec<OrderCard>, limit: i64) -> OrderList {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = orders.len() > limit;
    orders.truncate(limit);
    let last = orders.last().filter(|_| has_more);
    let next = last.map(|order| format!("{}.{}", order.created_at.timestamp_micros(), order.id));
    OrderList { orders, next }
}

/// One's own orders
#[utoipa::path(get, path = "/v1/orders", tag = "orders", params(Page, ReadHeaders, ReadParameters),
    responses((status = 200, description = "The newest first", body = OrderList)))]
pub async fn own(
    State(app): State<App>,
    seen: Seen,
    context: ReadContext,
    asked: Result<Query<Page>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(asked) = asked?;
    let verdict = context.wait(&app).await?;
    let unknown = || Refusal(Problem::new(Code::Unauthorized));
    let Buyer { kind, id } = seen.buyer.ok_or_else(unknown)?;
    let (Place(place), limit) = (asked.place()?, asked.limit()?);
    let (at, before) = place.unzip();
    let orders: Vec<OrderCard> = sqlx::query_as(
        "SELECT order_id AS id, version, number, status, payment, fulfilment, payment_method, country, currency, total, paid, refunded,
           created_at, changed_at
         FROM orders WHERE tenant_id = $1 AND buyer_kind = $2 AND buyer_id = $3
           AND ($4::timestamptz IS NULL OR (created_at, order_id) < ($4, $5::uuid))
         ORDER BY created_at DESC, order_id DESC LIMIT $6",
    )
    .bind(context.tenant.uuid())
    .bind(kind.as_str())
    .bind(id)
    .bind(at)
    .bind(before)
    .bind(limit + 1)
    .fetch_all(&app.pool)
    .await?;
    Ok(mark(Json(page(orders, limit)).into_response(), &verdict))
}

/// The orders of the shop
#[utoipa::path(get, path = "/v1/staff/orders", tag = "orders", params(Page, ReadHeaders, ReadParameters),
    responses((status = 200, description = "The newest first", body = OrderList)))]
pub async fn all(
    State(app): State<App>,
    context: ReadContext,
    asked: Result<Query<Page>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(asked) = asked?;
    let verdict = context.wait(&app).await?;
    let (Place(place), limit) = (asked.place()?, asked.limit()?);
    let (at, before) = place.unzip();
    let orders: Vec<OrderCard> = sqlx::query_as(
        "SELECT order_id AS id, version, number, status, payment, fulfilment, payment_method, country, currency, total, paid, refunded,
           created_at, changed_at
         FROM orders WHERE tenant_id = $1 AND ($2::text IS NULL OR status = $2) AND ($3::text IS NULL OR number = $3)
           AND ($4::timestamptz IS NULL OR (created_at, order_id) < ($4, $5::uuid))
         ORDER BY created_at DESC, order_id DESC LIMIT $6",
    )
    .bind(context.tenant.uuid())
    .bind(asked.status()?)
    .bind(&asked.number)
    .bind(at)
    .bind(before)
    .bind(limit + 1)
    .fetch_all(&app.pool)
    .await?;
    Ok(mark(Json(page(orders, limit)).into_response(), &verdict))
}

/// An id, as the address gives it.
///
/// # Errors
/// It is no UUID.
pub fn id_of(text: &str) -> Result<Uuid, Refusal> {
    Uuid::parse_str(text).map_err(|_| Refusal::parameter("id", "the path should hold a UUID"))
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    card: OrderCard,
    checkout_id: Uuid,
    buyer_kind: String,
    buyer_id: Uuid,
    access_digest: Option<String>,
    quote: String,
}

/// An order, to those who may see it.
async fn find(
    app: &App,
    context: &ReadContext,
    id: Uuid,
    may_see: impl Fn(&Row) -> bool,
    is_staff: bool,
) -> Result<ShownOrder, Refusal> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT order_id AS id, version, number, status, payment, fulfilment, payment_method, country, currency, total, paid, refunded,
           created_at, changed_at, checkout_id, buyer_kind, buyer_id, access_digest, quote
         FROM orders WHERE tenant_id = $1 AND order_id = $2",
    )
    .bind(context.tenant.uuid())
    .bind(id)
    .fetch_optional(&app.pool)
    .await?;
    let row = row.filter(may_see).ok_or_else(|| Refusal::not_found("there is no order with this id for you"))?;
    let mut history: Vec<OrderStep> = sqlx::query_as(
        "SELECT at, what, done_by, reason, note FROM order_history WHERE tenant_id = $1 AND order_id = $2 ORDER BY version",
    )
    .bind(context.tenant.uuid())
    .bind(id)
    .fetch_all(&app.pool)
    .await?;
    if !is_staff {
        history.iter_mut().for_each(|step| step.note = None);
    }
    let groups = serde_json::from_str::<Quote>(&row.quote)?.groups();
    let quote = RawValue::from_string(row.quote)?;
    Ok(ShownOrder { card: row.card, checkout_id: row.checkout_id, quote, groups, history })
}

/// An order of one's own
///
/// Whoever has bought it sees it, and whoever has the token that was given out with its checkout.
#[utoipa::path(get, path = "/v1/orders/{id}", tag = "orders",
    params(("id" = Uuid, Path, description = "The order"),
           ("access" = Option<String>, Query, description = "The token that was given out with the checkout"), ReadHeaders, ReadParameters),
    responses((status = 200, description = "The order", body = ShownOrder), (status = 404, description = "You have no such order")))]
pub async fn by_id(
    State(app): State<App>,
    seen: Seen,
    context: ReadContext,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = id_of(&id)?;
    let verdict = context.wait(&app).await?;
    let may_see = |row: &Row| seen.may_see(&row.buyer_kind, row.buyer_id, row.access_digest.as_deref());
    let order = find(&app, &context, id, may_see, false).await?;
    Ok(mark(Json(order).into_response(), &verdict))
}

/// An order of the shop
#[utoipa::path(get, path = "/v1/staff/orders/{id}", tag = "orders",
    params(("id" = Uuid, Path, description = "The order"), ReadHeaders, ReadParameters),
    responses((status = 200, description = "The order", body = ShownOrder), (status = 404, description = "There is no such order")))]
pub async fn for_staff(
    State(app): State<App>,
    context: ReadContext,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = id_of(&id)?;
    let verdict = context.wait(&app).await?;
    let order = find(&app, &context, id, |_| true, true).await?;
    Ok(mark(Json(order).into_response(), &verdict))
}
