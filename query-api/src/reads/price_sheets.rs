//! The whole price sheets of a product's variants, for staff: product pages leave out what is of channels and groups.

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
    Uuid,
    events::pricing::PriceEntry,
    ids::{ProductId, TenantId, VariantId},
    money::Currency,
    product_page::CatalogPart,
    topics::Context,
};
use serde::Serialize;
use sqlx::PgPool;
use std::collections::HashMap;
use utoipa_axum::routes;

/// The price sheets of a product.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[Isolation::of("/v1/products/{id}/prices", "/v1/products/{product}/prices", Expected::NotFound)],
};

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Staff(Permission::PricingWrite), routes!(of_product))
}

/// The price sheets of a product's variants.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(PriceSheets { sheets: vec![PriceSheet::example()] })))]
pub struct PriceSheets {
    /// One for each variant, in the order in which the product has them.
    sheets: Vec<PriceSheet>,
}

/// The prices of a variant.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PriceSheet {
    /// The variant.
    #[schema(value_type = Uuid)]
    variant_id: VariantId,
    /// Its SKU.
    sku: String,
    /// What `If-Match` has to name; 0 if there never was a price.
    version: u64,
    /// By currency, channel, group, number of pieces and start.
    entries: Vec<PriceEntry>,
}

impl PriceSheet {
    fn example() -> Self {
        let list = PriceEntry::always(Currency::USD, 5_999);
        let many = PriceEntry { min_quantity: 10, sale_amount: Some(4_499), ..list.clone() };
        let trade = PriceEntry { group: Some("trade".to_owned()), list_amount: 4_299, ..list.clone() };
        let entries = vec![list, many, trade];
        Self { variant_id: VariantId(example::id(1)), sku: "K-1".to_owned(), version: 4, entries }
    }
}

/// The price sheets of a product's variants
///
/// With what is of channels and groups of customers, and what is scheduled.
#[utoipa::path(get, path = "/v1/products/{id}/prices", tag = "catalog",
    params(("id" = Uuid, Path, description = "souk's id of the product"), ReadHeaders, ReadParameters),
    responses((status = 200, description = "A sheet for each variant", body = PriceSheets), (status = 404, description = "No such product")))]
pub async fn of_product(
    State(app): State<App>,
    context: ReadContext,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = id.parse().map_err(|_| Refusal::parameter("id", "a UUID is expected"))?;
    let read = async || {
        let sheets = find(&app.pool, context.tenant, id).await?;
        let sheets = sheets.ok_or_else(|| Refusal::not_found("no product of that id in this shop"))?;
        View::of(&PriceSheets { sheets })
    };
    context.view(&app, format!("price sheets {id}"), read).await
}

async fn find(pool: &PgPool, tenant: TenantId, product: ProductId) -> Result<Option<Vec<PriceSheet>>, sqlx::Error> {
    let rows: Vec<(String, Uuid, i64, String)> = sqlx::query_as(
        "SELECT context, aggregate_id, version, body FROM sources
         WHERE tenant_id = $1 AND product_id = $2 AND context IN ('catalog', 'pricing') AND NOT deleted",
    )
    .bind(tenant.uuid())
    .bind(product.uuid())
    .fetch_all(pool)
    .await?;
    let unreadable = |error: serde_json::Error| sqlx::Error::Decode(Box::new(error));
    let (mut catalog, mut prices) = (None, HashMap::new());
    for (context, id, version, body) in rows {
        if context == Context::Catalog.name() {
            catalog = Some(serde_json::from_str::<CatalogPart>(&body).map_err(unreadable)?);
        } else {
            let entries: Vec<PriceEntry> = serde_json::from_str(&body).map_err(unreadable)?;
            prices.insert(VariantId(id), (u64::try_from(version).unwrap_or_default(), entries));
        }
    }
    let Some(catalog) = catalog else { return Ok(None) };
    let sheets = catalog.content.variants.into_iter().map(|variant| {
        let (version, entries) = prices.remove(&variant.id).unwrap_or_default();
        PriceSheet { variant_id: variant.id, sku: variant.sku, version, entries }
    });
    Ok(Some(sheets.collect()))
}
