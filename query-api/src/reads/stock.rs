//! Stock: whether a variant can be had, as shoppers see it, and what lies where, as staff do.

use crate::{
    app::App,
    example, goods,
    pieces::{is_orderable, pieces},
    problem::Refusal,
    read_model::{Expected, Given, Isolation, ReadModel},
    request::{ReadContext, ReadHeaders, ReadParameters},
    view::View,
};
use access::{Permission, Routes, Rule};
use axum::{
    extract::{Path, State},
    response::Response,
};
use schemas::{
    Uuid,
    ids::{ProductId, TenantId, VariantId},
    product_page::{Availability, AvailabilityLevel},
};
use serde::Serialize;
use sqlx::PgPool;
use utoipa_axum::routes;

mod levels;
mod reservations;

pub(super) use levels::levels_of;

/// Stock.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[
        Isolation::of("/v1/variants/{id}/availability", "/v1/variants/{variant}/availability", Expected::NotFound),
        Isolation::of("/v1/stock", "/v1/stock", Expected::Empty("/levels")).given(RECEIVED),
        Isolation::of(
            "/v1/variants/{id}/reservations",
            "/v1/variants/{variant}/reservations",
            Expected::Empty("/reservations"),
        )
        .given(RESERVED),
    ],
};

const RECEIVED: &[Given] = &[Given {
    method: "POST",
    path: "/v1/variants/{variant}/stock/receive",
    body: r#"{"location": "main", "quantity": 5}"#,
}];

const RESERVED: &[Given] = &[Given {
    method: "POST",
    path: "/v1/reservations",
    body: r#"{"reservation_id": "0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b", "minutes": 60,
              "lines": [{"variant_id": "{variant}", "quantity": 2}]}"#,
}];

const STAFF: Rule = Rule::Staff(Permission::InventoryWrite);

fn routes() -> Routes<App> {
    Routes::default()
        .allow(Rule::Shopper, routes!(availability))
        .allow(STAFF, routes!(levels::all))
        .allow(STAFF, routes!(reservations::of_variant))
}

/// Whether a variant can be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(VariantAvailability::example())))]
pub struct VariantAvailability {
    /// The variant.
    variant_id: Uuid,
    /// Its SKU.
    sku: String,
    /// How many pieces can be sold, in a word.
    level: AvailabilityLevel,
    /// Pieces that are left, where these are few; null otherwise.
    left: Option<i64>,
    /// Whether it can be ordered: it is for sale, and there is a piece that can be sold, or one may be promised that is not there yet.
    orderable: bool,
}

impl VariantAvailability {
    fn of(variant_id: Uuid, sku: String, available: i64, orderable: bool) -> Self {
        let Availability { level, left } = Availability::of(available);
        Self { variant_id, sku, level, left, orderable }
    }

    fn example() -> Self {
        Self::of(example::id(1), "K-1".to_owned(), 3, true)
    }
}

/// Whether a variant can be had
///
/// Pieces that are held for a checkout or committed to an order can't be sold. What is told is what shoppers need to know: none,
/// few and how many, or more than that.
#[utoipa::path(get, path = "/v1/variants/{id}/availability", tag = "stock",
    params(("id" = Uuid, Path, description = "The variant"), ReadHeaders, ReadParameters),
    responses((status = 200, description = "Whether it can be had", body = VariantAvailability), (status = 404, description = "No such variant")))]
pub async fn availability(
    State(app): State<App>,
    context: ReadContext,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = variant(&id)?;
    let read = async || {
        let found: Option<(String, Uuid, i64)> = sqlx::query_as(
            "SELECT s.sku, s.product_id, coalesce(sum(l.on_hand - l.reserved - l.committed), 0)::bigint
             FROM stock_skus AS s LEFT JOIN stock_levels AS l USING (tenant_id, variant_id)
             WHERE s.tenant_id = $1 AND s.variant_id = $2 GROUP BY s.sku, s.product_id",
        )
        .bind(context.tenant.uuid())
        .bind(id)
        .fetch_optional(&app.pool)
        .await?;
        let (sku, product, available) =
            found.ok_or_else(|| Refusal::not_found("no variant with this id in this shop"))?;
        let orderable = orderable(&app.pool, context.tenant, VariantId(id), ProductId(product)).await?;
        View::of(&VariantAvailability::of(id, sku, available, orderable))
    };
    context.view(&app, format!("availability {id}"), read).await
}

/// Whether a cart takes a variant: what is said here is what a cart goes by.
async fn orderable(
    pool: &PgPool,
    tenant: TenantId,
    variant: VariantId,
    product: ProductId,
) -> Result<bool, sqlx::Error> {
    let offers = goods::offers(pool, tenant, &[variant], &[product]).await?;
    let pieces = pieces(pool, tenant, &offers).await?;
    Ok(offers.get(&variant).is_some_and(|offer| is_orderable(offer, pieces.get(&variant))))
}

/// The id of a variant in a path.
fn variant(text: &str) -> Result<Uuid, Refusal> {
    text.parse().map_err(|_| Refusal::parameter("id", "the UUID of a variant is expected"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shoppers_see_none_few_or_enough() {
        let of = |available| {
            let told = VariantAvailability::of(Uuid::nil(), String::new(), available, true);
            (told.level, told.left)
        };
        assert_eq!(of(-2), (AvailabilityLevel::None, None));
        assert_eq!(of(0), (AvailabilityLevel::None, None));
        assert_eq!(of(5), (AvailabilityLevel::Low, Some(5)));
        assert_eq!(of(6), (AvailabilityLevel::InStock, None));
    }
}
