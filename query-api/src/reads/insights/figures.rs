//! What shoppers searched for and did, summed over days.

use schemas::{NaiveDate, Uuid, ids::TenantId};
use serde::Serialize;
use sqlx::PgPool;

/// Whole days (UTC): from one, and until before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// The first day.
    pub from: NaiveDate,
    /// The day after the last one.
    pub until: NaiveDate,
}

/// Sums and shares of some searches.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct InsightFigures {
    /// Searches.
    pub searches: i64,
    /// Searches that found nothing.
    pub no_results: i64,
    /// Clicks on their hits.
    pub clicks: i64,
    /// What was put into carts from them.
    pub carts: i64,
    /// What was bought from them.
    pub purchases: i64,
    /// The share of searches with at least one click; null without searches.
    pub click_through: Option<f64>,
    /// The mean place of what was clicked, from 1; null without clicks that say where.
    pub mean_click_position: Option<f64>,
    /// The share of searches with at least one purchase; null without searches.
    pub conversion: Option<f64>,
}

/// What was searched for.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct QueryFigures {
    /// In lower case, with single spaces.
    pub query: String,
    /// What came of it.
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub figures: InsightFigures,
}

/// One way of ranking in an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct ArmFigures {
    /// Its name.
    pub arm: String,
    /// What came of it.
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub figures: InsightFigures,
}

/// What was done with a product.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct ProductFigures {
    /// The product.
    pub product_id: Uuid,
    /// How often it was shown.
    pub impressions: i64,
    /// How often it was clicked.
    pub clicks: i64,
    /// How often it was put into a cart.
    pub carts: i64,
    /// How often it was bought.
    pub purchases: i64,
    /// Clicks by impressions; null without impressions.
    pub click_through: Option<f64>,
}

/// The columns of [`InsightFigures`] over rows of `insight_queries`.
macro_rules! figures {
    () => {
        "sum(searches)::bigint AS searches, sum(no_results)::bigint AS no_results, sum(clicks)::bigint AS clicks,
         sum(carts)::bigint AS carts, sum(purchases)::bigint AS purchases,
         (sum(clicked_searches) / nullif(sum(searches), 0))::float8 AS click_through,
         (sum(click_positions) / nullif(sum(placed_clicks), 0))::float8 AS mean_click_position,
         (sum(purchased_searches) / nullif(sum(searches), 0))::float8 AS conversion"
    };
}

/// By what the top queries are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryOrder {
    /// The most frequent.
    Searches,
    /// Those that most often found nothing.
    NoResults,
    /// Those with the most clicks.
    Clicks,
}

/// By what the top products are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductOrder {
    /// The most shown.
    Impressions,
    /// The most clicked.
    Clicks,
    /// The most often put into a cart.
    Carts,
    /// The most bought.
    Purchases,
}

/// The top queries; those that are above 0 in what they are chosen by.
///
/// # Errors
/// The database's.
pub async fn queries(
    pool: &PgPool,
    tenant: TenantId,
    days: Days,
    order: QueryOrder,
    limit: i64,
) -> Result<Vec<QueryFigures>, sqlx::Error> {
    const STATEMENT: &str = concat!(
        "SELECT * FROM (SELECT query, ",
        figures!(),
        " FROM insight_queries WHERE tenant_id = $1 AND day >= $2 AND day < $3 GROUP BY query) AS summed
         CROSS JOIN LATERAL (SELECT CASE $4 WHEN 'searches' THEN searches WHEN 'no_results' THEN no_results
                                            ELSE clicks END AS rank) AS ranked
         WHERE rank > 0 ORDER BY rank DESC, query LIMIT $5"
    );
    let order = match order {
        QueryOrder::Searches => "searches",
        QueryOrder::NoResults => "no_results",
        QueryOrder::Clicks => "clicks",
    };
    sqlx::query_as(STATEMENT)
        .bind(tenant.uuid())
        .bind(days.from)
        .bind(days.until)
        .bind(order)
        .bind(limit)
        .fetch_all(pool)
        .await
}

/// The top products; those that are above 0 in what they are chosen by.
///
/// # Errors
/// The database's.
pub async fn products(
    pool: &PgPool,
    tenant: TenantId,
    days: Days,
    order: ProductOrder,
    limit: i64,
) -> Result<Vec<ProductFigures>, sqlx::Error> {
    let order = match order {
        ProductOrder::Impressions => "impressions",
        ProductOrder::Clicks => "clicks",
        ProductOrder::Carts => "carts",
        ProductOrder::Purchases => "purchases",
    };
    sqlx::query_as(
        "SELECT * FROM (SELECT product_id, sum(impressions)::bigint AS impressions, sum(clicks)::bigint AS clicks,
                               sum(carts)::bigint AS carts, sum(purchases)::bigint AS purchases,
                               (sum(clicks) / nullif(sum(impressions), 0))::float8 AS click_through
                        FROM insight_products WHERE tenant_id = $1 AND day >= $2 AND day < $3 GROUP BY product_id) AS summed
         CROSS JOIN LATERAL (SELECT CASE $4 WHEN 'impressions' THEN impressions WHEN 'clicks' THEN clicks
                                            WHEN 'carts' THEN carts ELSE purchases END AS rank) AS ranked
         WHERE rank > 0 ORDER BY rank DESC, product_id LIMIT $5",
    )
    .bind(tenant.uuid())
    .bind(days.from)
    .bind(days.until)
    .bind(order)
    .bind(limit)
    .fetch_all(pool)
    .await
}

/// The arms of an experiment of which there are searches, by name.
///
/// # Errors
/// The database's.
pub async fn arms(
    pool: &PgPool,
    tenant: TenantId,
    days: Days,
    experiment: &str,
) -> Result<Vec<ArmFigures>, sqlx::Error> {
    const STATEMENT: &str = concat!(
        "SELECT arm, ",
        figures!(),
        " FROM insight_queries WHERE tenant_id = $1 AND experiment = $4 AND experiment <> '' AND day >= $2 AND day < $3
         GROUP BY arm ORDER BY arm"
    );
    sqlx::query_as(STATEMENT)
        .bind(tenant.uuid())
        .bind(days.from)
        .bind(days.until)
        .bind(experiment)
        .fetch_all(pool)
        .await
}
