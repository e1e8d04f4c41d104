//! Product pages by id, slug and external id.

use crate::{
    app::App,
    example,
    problem::Refusal,
    read_model::{Expected, Isolation, ReadModel},
    request::{ReadContext, ReadHeaders, ReadParameters},
    view::View,
};
use access::{Routes, Rule};
use axum::{
    extract::{Path, State},
    response::Response,
};
use schemas::{
    Timestamp, Uuid,
    ids::{ProductId, TenantId},
    product_page::ProductPage,
};
use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::{PgPool, Row, postgres::PgRow};
use std::collections::BTreeMap;
use utoipa_axum::routes;

/// The product page.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[
        Isolation::of("/v1/products/{id}", "/v1/products/{product}", Expected::NotFound),
        Isolation::of("/v1/products/by-slug/{slug}", "/v1/products/by-slug/{slug}", Expected::Concealed),
        Isolation::of("/v1/products/by-external-id/{id}", "/v1/products/by-external-id/same", Expected::Concealed),
    ],
};

fn routes() -> Routes<App> {
    Routes::default()
        .allow(Rule::Shopper, routes!(by_id))
        .allow(Rule::Shopper, routes!(by_slug))
        .allow(Rule::Shopper, routes!(by_external_id))
}

/// A product page by souk's id.
#[utoipa::path(get, path = "/v1/products/{id}", tag = "catalog", params(("id" = String, Path, description = "souk's id"), ReadHeaders, ReadParameters),
    responses((status = 200, description = "The page; the catalog's version is the ETag, too", body = ProductAnswer), (status = 404, description = "No such product")))]
pub async fn by_id(State(app): State<App>, context: ReadContext, Path(id): Path<String>) -> Result<Response, Refusal> {
    let id = id.parse().map_err(|_| {
        Refusal::parameter(
            "id",
            "a UUID is expected; there are /v1/products/by-slug/ and /v1/products/by-external-id/ too",
        )
    })?;
    page(&app, &context, By::Id(id)).await
}

/// A product page by slug.
#[utoipa::path(get, path = "/v1/products/by-slug/{slug}", tag = "catalog", params(("slug" = String, Path, description = "The name in addresses"), ReadHeaders, ReadParameters),
    responses((status = 200, description = "The page; the catalog's version is the ETag, too", body = ProductAnswer), (status = 404, description = "No such product")))]
pub async fn by_slug(
    State(app): State<App>,
    context: ReadContext,
    Path(slug): Path<String>,
) -> Result<Response, Refusal> {
    page(&app, &context, By::Slug(slug)).await
}

/// A product page by the id it was imported under.
#[utoipa::path(get, path = "/v1/products/by-external-id/{id}", tag = "catalog", params(("id" = String, Path, description = "The id in the source system"), ReadHeaders, ReadParameters),
    responses((status = 200, description = "The page; the catalog's version is the ETag, too", body = ProductAnswer), (status = 404, description = "No such product")))]
pub async fn by_external_id(
    State(app): State<App>,
    context: ReadContext,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    page(&app, &context, By::ExternalId(id)).await
}

/// A product page, and how old it is.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(ProductAnswer::example())))]
pub struct ProductAnswer {
    /// What is known of the product.
    #[serde(flatten)]
    pub page: ProductPage,
    /// How old the page is.
    pub freshness: PageFreshness,
}

impl ProductAnswer {
    fn example() -> Self {
        let freshness = PageFreshness { doc_version: 5, composed_at: example::moment() };
        Self { page: example::page(), freshness }
    }
}

/// How old a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PageFreshness {
    /// The version of its search document.
    pub doc_version: i64,
    /// When it was composed.
    #[schema(value_type = String, format = DateTime)]
    pub composed_at: Timestamp,
}

/// A [`ProductAnswer`] as it is stored: the fields of the page are passed on without being read.
#[derive(Debug, Serialize)]
struct Stored {
    #[serde(flatten)]
    page: BTreeMap<String, Box<RawValue>>,
    freshness: PageFreshness,
}

async fn page(app: &App, context: &ReadContext, by: By) -> Result<Response, Refusal> {
    let read = async || {
        let stored = find(&app.pool, context.tenant, &by).await?;
        let stored = stored.ok_or_else(|| Refusal::not_found("no product of that name in this shop"))?;
        let view = View::of(&stored)?;
        Ok(match stored.page.get("version") {
            Some(version) => view.version(version),
            None => view,
        })
    };
    context.view(app, format!("page {by:?}"), read).await
}

/// By what a page is looked up.
#[derive(Debug, Clone)]
enum By {
    /// souk's id.
    Id(Uuid),
    /// The name in addresses.
    Slug(String),
    /// The id it was imported under.
    ExternalId(String),
}

/// Looks a page up.
async fn find(pool: &PgPool, tenant: TenantId, by: &By) -> Result<Option<Stored>, sqlx::Error> {
    const BY_ID: &str =
        "SELECT page, doc_version, updated_at FROM product_pages WHERE tenant_id = $1 AND product_id = $2";
    // Two products may share a slug for the moment in which one hands it to the other: the later one counts.
    const BY_SLUG: &str = "SELECT page, doc_version, updated_at FROM product_pages WHERE tenant_id = $1 AND slug = $2
                           ORDER BY updated_at DESC LIMIT 1";
    const BY_EXTERNAL_ID: &str = "SELECT page, doc_version, updated_at FROM product_pages
                                  WHERE tenant_id = $1 AND external_id = $2 ORDER BY updated_at DESC LIMIT 1";
    let query = match by {
        By::Id(id) => sqlx::query(BY_ID).bind(tenant.uuid()).bind(id),
        By::Slug(slug) => sqlx::query(BY_SLUG).bind(tenant.uuid()).bind(slug),
        By::ExternalId(id) => sqlx::query(BY_EXTERNAL_ID).bind(tenant.uuid()).bind(id),
    };
    query.fetch_optional(pool).await?.map(read).transpose()
}

/// souk's id of what was imported under another.
///
/// # Errors
/// The database's.
pub async fn id_of_external(pool: &PgPool, tenant: TenantId, id: &str) -> Result<Option<ProductId>, sqlx::Error> {
    let found: Option<Uuid> = sqlx::query_scalar(
        "SELECT product_id FROM product_pages WHERE tenant_id = $1 AND external_id = $2 ORDER BY updated_at DESC LIMIT 1",
    )
    .bind(tenant.uuid())
    .bind(id)
    .fetch_optional(pool)
    .await?;
    Ok(found.map(ProductId))
}

#[expect(clippy::needless_pass_by_value, reason = "maps an owned row")]
fn read(row: PgRow) -> Result<Stored, sqlx::Error> {
    let text: String = row.try_get("page")?;
    let page = serde_json::from_str(&text).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    let freshness = PageFreshness { doc_version: row.try_get("doc_version")?, composed_at: row.try_get("updated_at")? };
    Ok(Stored { page, freshness })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_page_is_sent_as_it_is_described() {
        let described = serde_json::to_value(ProductAnswer::example()).expect("JSON");
        let text = serde_json::to_string(&example::page()).expect("JSON");
        let page = serde_json::from_str(&text).expect("fields");
        let stored = Stored { page, freshness: ProductAnswer::example().freshness };
        assert_eq!(serde_json::to_value(stored).expect("JSON"), described);
    }
}
