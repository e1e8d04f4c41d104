//! What shoppers searched for and did, for staff.

mod figures;

use crate::{
    app::App,
    freshness::{Hop, Verdict},
    problem::Refusal,
    read_model::{Expected, Given, Isolation, ReadModel},
    request::{ReadContext, mark},
};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use figures::{Arm, Days, Product, ProductOrder, Query as QueryFigures, QueryOrder};
use schemas::{NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa_axum::{router::OpenApiRouter, routes};

/// What shoppers searched for and did.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[
        Isolation::of("/v1/insights/queries", "/v1/insights/queries", Expected::Empty("/queries")).given(REPORTED),
        Isolation::of("/v1/insights/products", "/v1/insights/products", Expected::Empty("/products")),
        Isolation::of("/v1/insights/experiments/{name}", "/v1/insights/experiments/e", Expected::Empty("/arms")),
    ],
};

const REPORTED: &[Given] = &[Given {
    method: "POST",
    path: "/v1/insights",
    body: r#"[{"type": "query", "query_id": "q", "client_id": "c", "user_query": "lamp", "arm": "e/a", "timestamp": "{now}"},
        {"type": "event", "action_name": "click", "query_id": "q", "client_id": "c", "timestamp": "{now}",
         "event_attributes": {"object": {"object_id": "{product}"}}}]"#,
}];

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(queries)).routes(routes!(products)).routes(routes!(experiment))
}

const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 500;
/// Days that are summed unless others are asked for, today among them.
const DEFAULT_DAYS: schemas::Days = schemas::Days::new(30);
const MAX_DAYS: i64 = 400;

/// Which days.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DayParameters {
    /// The first day (UTC), such as 2026-06-01; by default 30 days before `until`
    from: Option<String>,
    /// The day after the last one; by default tomorrow
    until: Option<String>,
}

/// Which of them.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TopParameters {
    /// What they are chosen and sorted by, the highest first
    order: Option<String>,
    /// 1 to 500, default 50
    limit: Option<i64>,
}

/// The top queries of some days.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Queries {
    /// The first day.
    #[schema(value_type = String, format = Date)]
    from: NaiveDate,
    /// The day after the last one.
    #[schema(value_type = String, format = Date)]
    until: NaiveDate,
    /// The queries.
    queries: Vec<QueryFigures>,
}

/// The top products of some days.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Products {
    /// The first day.
    #[schema(value_type = String, format = Date)]
    from: NaiveDate,
    /// The day after the last one.
    #[schema(value_type = String, format = Date)]
    until: NaiveDate,
    /// The products.
    products: Vec<Product>,
}

/// The arms of an experiment over some days.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Experiment {
    /// The experiment.
    experiment: String,
    /// The first day.
    #[schema(value_type = String, format = Date)]
    from: NaiveDate,
    /// The day after the last one.
    #[schema(value_type = String, format = Date)]
    until: NaiveDate,
    /// Each arm that somebody searched with.
    arms: Vec<Arm>,
}

/// What was searched for most, found nothing most often, or led to most clicks.
///
/// `order` is searches (default), no_results or clicks. Clicks, carts and purchases count on the day of the
/// search they follow from.
#[utoipa::path(get, path = "/v1/insights/queries", tag = "insights", params(DayParameters, TopParameters),
    responses((status = 200, description = "The top queries with what came of them", body = Queries)))]
pub async fn queries(
    State(app): State<App>,
    context: ReadContext,
    days: Result<Query<DayParameters>, QueryRejection>,
    top: Result<Query<TopParameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let (days, top) = (read_days(days)?, read(top)?);
    let order = match top.order.as_deref() {
        None | Some("searches") => QueryOrder::Searches,
        Some("no_results") => QueryOrder::NoResults,
        Some("clicks") => QueryOrder::Clicks,
        Some(_) => return Err(Refusal::parameter("order", "searches, no_results or clicks is expected")),
    };
    let limit = read_limit(&top)?;
    let verdict = context.wait(&app, Hop::Views).await?;
    let queries = figures::queries(&app.pool, context.tenant, days, order, limit).await?;
    Ok(answer(Queries { from: days.from, until: days.until, queries }, &verdict))
}

/// What was done with products, whether or not it followed from a search.
///
/// `order` is clicks (default), impressions, carts or purchases.
#[utoipa::path(get, path = "/v1/insights/products", tag = "insights", params(DayParameters, TopParameters),
    responses((status = 200, description = "The top products", body = Products)))]
pub async fn products(
    State(app): State<App>,
    context: ReadContext,
    days: Result<Query<DayParameters>, QueryRejection>,
    top: Result<Query<TopParameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let (days, top) = (read_days(days)?, read(top)?);
    let order = match top.order.as_deref() {
        None | Some("clicks") => ProductOrder::Clicks,
        Some("impressions") => ProductOrder::Impressions,
        Some("carts") => ProductOrder::Carts,
        Some("purchases") => ProductOrder::Purchases,
        Some(_) => return Err(Refusal::parameter("order", "impressions, clicks, carts or purchases is expected")),
    };
    let limit = read_limit(&top)?;
    let verdict = context.wait(&app, Hop::Views).await?;
    let products = figures::products(&app.pool, context.tenant, days, order, limit).await?;
    Ok(answer(Products { from: days.from, until: days.until, products }, &verdict))
}

/// How the arms of an experiment do.
#[utoipa::path(get, path = "/v1/insights/experiments/{name}", tag = "insights",
    params(("name" = String, Path, description = "The experiment"), DayParameters),
    responses((status = 200, description = "The figures of each arm; none before anybody has searched with one", body = Experiment)))]
pub async fn experiment(
    State(app): State<App>,
    context: ReadContext,
    Path(name): Path<String>,
    days: Result<Query<DayParameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let days = read_days(days)?;
    let verdict = context.wait(&app, Hop::Views).await?;
    let arms = figures::arms(&app.pool, context.tenant, days, &name).await?;
    Ok(answer(Experiment { experiment: name, from: days.from, until: days.until, arms }, &verdict))
}

fn answer(body: impl Serialize, verdict: &Verdict) -> Response {
    mark(Json(body).into_response(), verdict)
}

fn read<T>(parameters: Result<Query<T>, QueryRejection>) -> Result<T, Refusal> {
    let Query(parameters) = parameters?;
    Ok(parameters)
}

fn read_limit(top: &TopParameters) -> Result<i64, Refusal> {
    let limit = top.limit.unwrap_or(DEFAULT_LIMIT);
    if (1..=MAX_LIMIT).contains(&limit) { Ok(limit) } else { Err(Refusal::parameter("limit", "1 to 500 is expected")) }
}

fn read_days(parameters: Result<Query<DayParameters>, QueryRejection>) -> Result<Days, Refusal> {
    let parameters = read(parameters)?;
    let day = |name: &str, text: Option<String>| -> Result<Option<NaiveDate>, Refusal> {
        let wrong = |_| Refusal::parameter(name, "a day is expected, such as 2026-06-01");
        text.map(|text| text.parse().map_err(wrong)).transpose()
    };
    let (from, until) = (day("from", parameters.from)?, day("until", parameters.until)?);
    let until = until.or_else(|| Utc::now().date_naive().succ_opt());
    let from = from.or_else(|| until?.checked_sub_days(DEFAULT_DAYS));
    // Only a day at the end of all calendars has none before or after it.
    let (Some(from), Some(until)) = (from, until) else {
        return Err(Refusal::parameter("until", "there are no days before it"));
    };
    let length = until.signed_duration_since(from).num_days();
    if !(1..=MAX_DAYS).contains(&length) {
        return Err(Refusal::parameter("until", "it is 1 to 400 days after `from`"));
    }
    Ok(Days { from, until })
}
