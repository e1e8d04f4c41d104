//! Promotions: as staff define them, with figures of use, and what shoppers may know of them.

mod codes;
mod preview;
mod shoppers;

use crate::{
    app::App,
    example,
    problem::Refusal,
    read_model::{Expected, Given, Isolation, ReadModel},
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
    view::View,
};
use access::{Permission, Routes, Rule};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
    routing::get,
};
use schemas::{Timestamp, Utc, Uuid, events::promotions::PromotionContent};
use serde::{Deserialize, Serialize};
use sqlx::types::Json as Stored;
use utoipa_axum::routes;

/// What makes carts cheaper.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[
        Isolation::of("/v1/promotions", "/v1/promotions", Expected::Empty("/promotions")).given(DEFINED),
        Isolation::of("/v1/promotions/{name}", "/v1/promotions/welcome", Expected::NotFound),
        Isolation::of("/v1/promotions/{name}/codes", "/v1/promotions/welcome/codes", Expected::NotFound),
        // Only shoppers fill carts: a test of its own has carts of two shops.
        Isolation::of("/v1/promotions/preview", "/v1/promotions/preview", Expected::NothingYet("/examples")).posting(
            r#"{"name": "spring", "promotion": {"title": "Spring", "effect": {"kind": "percentage", "rate_ppm": 100000}}}"#,
        ),
        Isolation::of("/v1/coupons/{code}", "/v1/coupons/WELCOME-1", Expected::NotFound),
        Isolation::of("/v1/active-promotions", "/v1/active-promotions", Expected::Empty("/promotions")),
    ],
};

const DEFINED: &[Given] = &[
    Given {
        method: "PUT",
        path: "/v1/promotions/spring",
        body: r#"{"title": "Spring", "effect": {"kind": "percentage", "rate_ppm": 100000}}"#,
    },
    Given {
        method: "PUT",
        path: "/v1/promotions/welcome",
        body: r#"{"title": "Welcome", "needs_code": true, "effect": {"kind": "shipping"}}"#,
    },
    Given { method: "POST", path: "/v1/promotions/welcome/codes", body: r#"{"codes": ["WELCOME-1"]}"# },
];

const STAFF: Rule = Rule::Staff(Permission::PromotionsWrite);
const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 200;

fn routes() -> Routes<App> {
    Routes::default()
        .allow(STAFF, routes!(all))
        .allow(STAFF, routes!(one))
        .allow(STAFF, routes!(preview::preview))
        .allow_unlisted(STAFF, "/v1/promotions/preview", get(preview::named_like_it))
        .allow(STAFF, routes!(codes::all))
        .allow(Rule::Shopper, routes!(shoppers::coupon))
        .allow(Rule::Shopper, routes!(shoppers::active))
}

/// Which page of promotions.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PromotionParameters {
    /// The `next` of the page before
    after: Option<String>,
    /// Promotions on the page, 1 to 200, default 50
    limit: Option<i64>,
}

/// A page of promotions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(PromotionPage { promotions: vec![ShownPromotion::example()], next: None })))]
pub struct PromotionPage {
    /// By name, those that have ended included.
    promotions: Vec<ShownPromotion>,
    /// What to send as `after` for the next page; null on the last one.
    next: Option<String>,
}

/// Where a promotion is in its span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PromotionState {
    /// It has not begun.
    Planned,
    /// It counts.
    Running,
    /// It counts no longer.
    Ended,
}

/// A promotion, as staff see it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(ShownPromotion::example())))]
pub struct ShownPromotion {
    /// Its id.
    id: Uuid,
    /// What staff call it.
    name: String,
    /// Its version: what If-Match has to name to replace it.
    version: i64,
    /// Where it is in its span.
    state: PromotionState,
    /// When it was defined first.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was ended; null if it was not.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// Who ended it: `staff`, or `span_over`.
    end_reason: Option<String>,
    /// What it is, as it was put.
    promotion: PromotionContent,
    /// How many codes it has, those that are disabled included.
    codes: i64,
    /// How many of them are disabled.
    disabled_codes: i64,
    /// How many uses checkouts have reserved now. Uses are counted of promotions that are limited, or for first orders.
    reserved: i64,
    /// How many uses orders have.
    consumed: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    promotion_id: Uuid,
    version: i64,
    name: String,
    content: Stored<PromotionContent>,
    created_at: Timestamp,
    ended_at: Option<Timestamp>,
    end_reason: Option<String>,
    codes: i64,
    disabled: i64,
    reserved: i64,
    consumed: i64,
}

impl ShownPromotion {
    fn of(row: Row, now: Timestamp) -> Self {
        let Stored(promotion) = row.content;
        let state = match (row.ended_at.is_some() || promotion.is_over(now), promotion.has_begun(now)) {
            (true, _) => PromotionState::Ended,
            (false, true) => PromotionState::Running,
            (false, false) => PromotionState::Planned,
        };
        Self {
            id: row.promotion_id,
            name: row.name,
            version: row.version,
            state,
            created_at: row.created_at,
            ended_at: row.ended_at,
            end_reason: row.end_reason,
            promotion,
            codes: row.codes,
            disabled_codes: row.disabled,
            reserved: row.reserved,
            consumed: row.consumed,
        }
    }

    fn example() -> Self {
        let row = Row {
            promotion_id: example::id(30),
            version: 1,
            name: "welcome".to_owned(),
            content: Stored(example::promotion()),
            created_at: example::moment(),
            ended_at: None,
            end_reason: None,
            codes: 1,
            disabled: 0,
            reserved: 2,
            consumed: 40,
        };
        Self::of(row, example::moment())
    }
}

/// The promotions of the shop, by name, page by page.
#[utoipa::path(get, path = "/v1/promotions", tag = "promotions",
    params(PromotionParameters, ReadHeaders, ReadParameters),
    responses((status = 200, description = "A page", body = PromotionPage)))]
pub async fn all(
    State(app): State<App>,
    context: ReadContext,
    parameters: Result<Query<PromotionParameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(parameters) = parameters?;
    let limit = parameters.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Refusal::parameter("limit", format!("1 to {MAX_LIMIT} promotions fit on a page")));
    }
    let verdict = context.wait(&app).await?;
    let mut rows: Vec<Row> = sqlx::query_as(
        "SELECT p.promotion_id, p.version, p.name, p.content, p.created_at, p.ended_at, p.end_reason, coalesce(f.codes, 0) AS codes,
                coalesce(f.disabled, 0) AS disabled, coalesce(f.reserved, 0) AS reserved, coalesce(f.consumed, 0) AS consumed
         FROM promotions AS p LEFT JOIN promotion_figures AS f ON f.tenant_id = p.tenant_id AND f.promotion_id = p.promotion_id
         WHERE p.tenant_id = $1 AND p.name > $2 ORDER BY p.name LIMIT $3",
    )
    .bind(context.tenant.uuid())
    .bind(parameters.after.unwrap_or_default())
    .bind(limit + 1)
    .fetch_all(&app.pool)
    .await?;
    let fits = usize::try_from(limit).unwrap_or_default();
    let has_more = rows.len() > fits;
    rows.truncate(fits);
    let now = Utc::now();
    let promotions: Vec<ShownPromotion> = rows.into_iter().map(|row| ShownPromotion::of(row, now)).collect();
    let next = promotions.last().filter(|_| has_more).map(|last| last.name.clone());
    Ok(mark(Json(PromotionPage { promotions, next }).into_response(), &verdict))
}

/// A promotion, with figures of its use.
#[utoipa::path(get, path = "/v1/promotions/{name}", tag = "promotions",
    params(("name" = String, Path, description = "What staff call it"), ReadHeaders, ReadParameters),
    responses((status = 200, description = "The promotion; the version is the ETag, too", body = ShownPromotion), (status = 404, description = "The shop has no promotion of this name")))]
pub async fn one(State(app): State<App>, context: ReadContext, Path(name): Path<String>) -> Result<Response, Refusal> {
    let verdict = context.wait(&app).await?;
    let found: Option<Row> = sqlx::query_as(
        "SELECT p.promotion_id, p.version, p.name, p.content, p.created_at, p.ended_at, p.end_reason, coalesce(f.codes, 0) AS codes,
                coalesce(f.disabled, 0) AS disabled, coalesce(f.reserved, 0) AS reserved, coalesce(f.consumed, 0) AS consumed
         FROM promotions AS p LEFT JOIN promotion_figures AS f ON f.tenant_id = p.tenant_id AND f.promotion_id = p.promotion_id
         WHERE p.tenant_id = $1 AND p.name = $2",
    )
    .bind(context.tenant.uuid())
    .bind(&name)
    .fetch_optional(&app.pool)
    .await?;
    let shown = ShownPromotion::of(found.ok_or_else(unknown)?, Utc::now());
    Ok(mark(View::of(&shown)?.version(shown.version).response(), &verdict))
}

fn unknown() -> Refusal {
    Refusal::not_found("this shop has no promotion of this name")
}
