//! When a product is published and archived by itself, for staff: shoppers don't see what is to come.

use crate::{
    app::App,
    example,
    problem::Refusal,
    read_model::{Expected, Isolation, ReadModel},
    request::{ReadContext, ReadHeaders, ReadParameters},
    view::View,
};
use access::{Permission, Routes, Rule};
use axum::{
    extract::{Path, State},
    response::Response,
};
use schemas::{
    TimeDelta, Uuid,
    events::catalog::Schedule,
    product_page::{CatalogPart, ProductStatus},
};
use serde::Serialize;
use utoipa_axum::routes;

/// The schedule of a product.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[Isolation::of("/v1/products/{id}/schedule", "/v1/products/{product}/schedule", Expected::NotFound)],
};

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Staff(Permission::CatalogWrite), routes!(of_product))
}

/// What is to come of a product.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(ProductSchedule::example())))]
pub struct ProductSchedule {
    /// Where it is in its life now.
    status: ProductStatus,
    /// The catalog's version of the product: what `If-Match` has to name.
    version: u64,
    /// What happens by itself.
    schedule: Schedule,
}

impl ProductSchedule {
    fn example() -> Self {
        let publish_at = Some(example::moment());
        let schedule = Schedule { publish_at, archive_at: publish_at.map(|at| at + TimeDelta::days(30)) };
        Self { status: ProductStatus::Draft, version: 2, schedule }
    }
}

/// When a product is published and archived by itself
#[utoipa::path(get, path = "/v1/products/{id}/schedule", tag = "catalog",
    params(("id" = Uuid, Path, description = "souk's id of the product"), ReadHeaders, ReadParameters),
    responses((status = 200, description = "The schedule; the catalog's version is the ETag, too", body = ProductSchedule), (status = 404, description = "No such product")))]
pub async fn of_product(
    State(app): State<App>,
    context: ReadContext,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id: Uuid = id.parse().map_err(|_| Refusal::parameter("id", "a UUID is expected"))?;
    let read = async || {
        let found: Option<(i64, String)> = sqlx::query_as(
            "SELECT version, body FROM sources
             WHERE tenant_id = $1 AND context = 'catalog' AND aggregate_id = $2 AND aggregate = 'product' AND NOT deleted",
        )
        .bind(context.tenant.uuid())
        .bind(id)
        .fetch_optional(&app.pool)
        .await?;
        let (version, body) = found.ok_or_else(|| Refusal::not_found("no product of that id in this shop"))?;
        let version = u64::try_from(version).unwrap_or_default();
        let CatalogPart { status, schedule, .. } = serde_json::from_str(&body)?;
        Ok(View::of(&ProductSchedule { status, version, schedule })?.version(version))
    };
    context.view(&app, format!("schedule {id}"), read).await
}
