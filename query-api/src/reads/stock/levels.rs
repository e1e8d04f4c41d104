//! What lies where, for staff.

use crate::{
    app::App,
    example,
    problem::{Refusal, bounded},
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use quote::facts::Levels;
use schemas::{
    Uuid,
    ids::{TenantId, VariantId},
};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

/// Rows on a page, where none is asked for and at most.
const USUAL: usize = 100;
const MOST: usize = 1_000;

/// Which of it.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StockParameters {
    /// The levels of this variant
    variant_id: Option<Uuid>,
    /// The levels of the variant with this SKU
    sku: Option<String>,
    /// The `next` of the page before
    cursor: Option<String>,
    /// Levels at most, up to 1000; 100 if absent
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// A page of levels, by variant and place.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(StockPage { levels: vec![StockLevel::example()], next: None })))]
pub struct StockPage {
    /// The levels.
    levels: Vec<StockLevel>,
    /// What to send as `cursor` for the next page; null on the last one.
    next: Option<String>,
}

/// The stock of a variant at one place.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct StockLevel {
    /// The variant.
    variant_id: Uuid,
    /// Its SKU; null if the catalog has it no more.
    sku: Option<String>,
    /// The product that it belongs to.
    product_id: Uuid,
    /// The place.
    location: String,
    /// Pieces that are there.
    on_hand: i64,
    /// Pieces that are held for checkouts.
    reserved: i64,
    /// Pieces that are committed to orders and have not left yet.
    committed: i64,
    /// Pieces that can be sold: those that are there, less both. Below zero, pieces are missing.
    available: i64,
    /// Pieces that may be promised beyond those that are there.
    backorder_limit: i64,
}

impl StockLevel {
    fn example() -> Self {
        Self {
            variant_id: example::id(1),
            sku: Some("K-1".to_owned()),
            product_id: example::product().uuid(),
            location: "main".to_owned(),
            on_hand: 12,
            reserved: 2,
            committed: 3,
            available: 7,
            backorder_limit: 0,
        }
    }
}

/// Stock by place
///
/// By variant, then by place. Name a variant by one of `variant_id` and `sku`, or none for all.
#[utoipa::path(get, path = "/v1/stock", tag = "stock", params(ReadHeaders, ReadParameters, StockParameters),
    responses((status = 200, description = "A page", body = StockPage), (status = 400, description = "A parameter is wrong")))]
pub async fn all(
    State(app): State<App>,
    context: ReadContext,
    asked: Result<Query<StockParameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(asked) = asked?;
    let limit = bounded("limit", asked.limit.unwrap_or(USUAL), 1, MOST)?;
    if asked.variant_id.is_some() && asked.sku.is_some() {
        return Err(Refusal::parameter("sku", "name the variant by `sku` or by `variant_id`"));
    }
    let (variant, place) = asked.cursor.as_deref().map(after).transpose()?.unwrap_or_default();
    let verdict = context.wait(&app).await?;
    let levels: Vec<StockLevel> = sqlx::query_as(
        "SELECT l.variant_id, s.sku, l.product_id, l.location, l.on_hand, l.reserved, l.committed,
                l.on_hand - l.reserved - l.committed AS available, l.backorder_limit
         FROM stock_levels AS l LEFT JOIN stock_skus AS s USING (tenant_id, variant_id)
         WHERE l.tenant_id = $1 AND (l.variant_id, l.location) > ($2, $3) AND ($4::uuid IS NULL OR l.variant_id = $4)
           AND ($5::text IS NULL OR l.variant_id IN (SELECT variant_id FROM stock_skus WHERE tenant_id = $1 AND sku = $5))
         ORDER BY l.variant_id, l.location LIMIT $6",
    )
    .bind(context.tenant.uuid())
    .bind(variant)
    .bind(place)
    .bind(asked.variant_id)
    .bind(&asked.sku)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(&app.pool)
    .await?;
    let last = levels.last().filter(|_| levels.len() == limit);
    let next = last.map(|level| format!("{}.{}", level.variant_id, level.location));
    Ok(mark(Json(StockPage { levels, next }).into_response(), &verdict))
}

/// Pieces of some variants that can be sold, by place. What was never in stock is left out.
pub(in crate::reads) async fn levels_of(
    pool: &PgPool,
    tenant: TenantId,
    variants: &[VariantId],
) -> Result<Levels, sqlx::Error> {
    let rows: Vec<(Uuid, String, i64)> = sqlx::query_as(
        "SELECT variant_id, location, on_hand - reserved - committed FROM stock_levels
         WHERE tenant_id = $1 AND variant_id = ANY($2)",
    )
    .bind(tenant.uuid())
    .bind(variants.iter().map(|variant| variant.uuid()).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    let mut levels = Levels::new();
    for (variant, location, pieces) in rows {
        levels.entry(VariantId(variant)).or_default().insert(location, pieces);
    }
    Ok(levels)
}

/// The level that a cursor stands behind.
fn after(cursor: &str) -> Result<(Uuid, String), Refusal> {
    let parts = cursor.split_once('.').and_then(|(variant, place)| Some((variant.parse().ok()?, place.to_owned())));
    parts
        .filter(|(_, place)| !place.contains('\0'))
        .ok_or_else(|| Refusal::parameter("cursor", "it is not one that a page gave as `next`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_names_a_level() {
        let id = Uuid::from_u128(7);
        assert_eq!(after(&format!("{id}.a.b")).ok(), Some((id, "a.b".to_owned())));
        for wrong in ["", "x", "x.main", "\u{0}"] {
            assert!(after(wrong).is_err(), "{wrong}");
        }
    }
}
