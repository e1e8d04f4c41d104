//! What shoppers searched for and did, for staff.

mod figures;

use crate::{
    app::App,
    example,
    freshness::Verdict,
    problem::Refusal,
    read_model::{Expected, Given, Isolation, ReadModel},
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
};
use access::{Permission, Routes, Rule};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use figures::{ArmFigures, Days, InsightFigures, ProductFigures, ProductOrder, QueryFigures, QueryOrder};
use schemas::{NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

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

fn routes() -> Routes<App> {
    Routes::default()
        .allow(Rule::Staff(Permission::InsightsRead), routes!(queries))
        .allow(Rule::Staff(Permission::InsightsRead), routes!(products))
        .allow(Rule::Staff(Permission::InsightsRead), routes!(experiment))
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
#[schema(examples(json!(TopQueries::example())))]
pub struct TopQueries {
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
#[schema(examples(json!(TopProducts::example())))]
pub struct TopProducts {
    /// The first day.
    #[schema(value_type = String, format = Date)]
    from: NaiveDate,
    /// The day after the last one.
    #[schema(value_type = String, format = Date)]
    until: NaiveDate,
    /// The products.
    products: Vec<ProductFigures>,
}

/// The arms of an experiment over some days.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(ExperimentFigures::example())))]
pub struct ExperimentFigures {
    /// The experiment.
    experiment: String,
    /// The first day.
    #[schema(value_type = String, format = Date)]
    from: NaiveDate,
    /// The day after the last one.
    #[schema(value_type = String, format = Date)]
    until: NaiveDate,
    /// Each arm that somebody searched with.
    arms: Vec<ArmFigures>,
}

/// The figures that the examples show.
const FIGURES: InsightFigures = InsightFigures {
    searches: 120,
    no_results: 4,
    clicks: 48,
    carts: 9,
    purchases: 3,
    click_through: Some(0.35),
    mean_click_position: Some(2.5),
    conversion: Some(0.025),
};

impl TopQueries {
    fn example() -> Self {
        let queries = vec![QueryFigures { query: "gooseneck kettle".to_owned(), figures: FIGURES }];
        Self { from: example::day(), until: example::day() + DEFAULT_DAYS, queries }
    }
}

impl TopProducts {
    fn example() -> Self {
        let figures = ProductFigures {
            product_id: example::product().uuid(),
            impressions: 240,
            clicks: 48,
            carts: 9,
            purchases: 3,
            click_through: Some(0.2),
        };
        Self { from: example::day(), until: example::day() + DEFAULT_DAYS, products: vec![figures] }
    }
}

impl ExperimentFigures {
    fn example() -> Self {
        let arms = vec![ArmFigures { arm: "control".to_owned(), figures: FIGURES }];
        let experiment = "shorter-titles-first".to_owned();
        Self { experiment, from: example::day(), until: example::day() + DEFAULT_DAYS, arms }
    }
}

/// What was searched for most, found nothing most often, or led to most clicks.
///
/// `order` is searches (default), no_results or clicks. Clicks, carts and purchases count on the day of the
/// search they follow from.
#[utoipa::path(get, path = "/v1/insights/queries", operation_id = "insight_queries", tag = "insights", params(DayParameters, TopParameters, ReadHeaders, ReadParameters),
    responses((status = 200, description = "The top queries with what came of them", body = TopQueries)))]
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
    let verdict = context.wait(&app).await?;
    let queries = figures::queries(&app.pool, context.tenant, days, order, limit).await?;
    Ok(answer(TopQueries { from: days.from, until: days.until, queries }, &verdict))
}

/// What was done with products, whether or not it followed from a search.
///
/// `order` is clicks (default), impressions, carts or purchases.
#[utoipa::path(get, path = "/v1/insights/products", operation_id = "insight_products", tag = "insights", params(DayParameters, TopParameters, ReadHeaders, ReadParameters),
    responses((status = 200, description = "The top products", body = TopProducts)))]
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
    let verdict = context.wait(&app).await?;
    let products = figures::products(&app.pool, context.tenant, days, order, limit).await?;
    Ok(answer(TopProducts { from: days.from, until: days.until, products }, &verdict))
}

/// How the arms of an experiment do.
#[utoipa::path(get, path = "/v1/insights/experiments/{name}", tag = "insights",
    params(("name" = String, Path, description = "The experiment"), DayParameters, ReadHeaders, ReadParameters),
    responses((status = 200, description = "The figures of each arm; none before anybody has searched with one", body = ExperimentFigures)))]
pub async fn experiment(
    State(app): State<App>,
    context: ReadContext,
    Path(name): Path<String>,
    days: Result<Query<DayParameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let days = read_days(days)?;
    let verdict = context.wait(&app).await?;
    let arms = figures::arms(&app.pool, context.tenant, days, &name).await?;
    Ok(answer(ExperimentFigures { experiment: name, from: days.from, until: days.until, arms }, &verdict))
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
