//! Product pages by id, slug and external id.

use crate::{
    app::App,
    freshness::{Hop, Verdict},
    problem::Refusal,
    read_model::{Expected, Isolation, ReadModel},
    request::{ReadContext, mark},
};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use schemas::{
    Timestamp, Uuid,
    ids::{ProductId, TenantId},
};
use serde_json::{json, value::RawValue};
use sqlx::{PgPool, Row, postgres::PgRow};
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The product page.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[
        Isolation::of("/v1/products/{id}", "/v1/products/{product}", Expected::NotFound),
        Isolation::of("/v1/products/by-slug/{slug}", "/v1/products/by-slug/{slug}", Expected::Concealed),
        Isolation::of("/v1/products/by-external-id/{id}", "/v1/products/by-external-id/same", Expected::Concealed),
    ],
};

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(by_id)).routes(routes!(by_slug)).routes(routes!(by_external_id))
}

/// A product page by souk's id.
#[utoipa::path(get, path = "/v1/products/{id}", tag = "catalog", params(("id" = String, Path, description = "souk's id")),
    responses((status = 200, description = "The page: content, variants, prices, stock, versions, freshness", body = Object), (status = 404, description = "No such product", body = Object)))]
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
#[utoipa::path(get, path = "/v1/products/by-slug/{slug}", tag = "catalog", params(("slug" = String, Path, description = "The name in addresses")),
    responses((status = 200, description = "The page", body = Object), (status = 404, description = "No such product", body = Object)))]
pub async fn by_slug(
    State(app): State<App>,
    context: ReadContext,
    Path(slug): Path<String>,
) -> Result<Response, Refusal> {
    page(&app, &context, By::Slug(slug)).await
}

/// A product page by the id it was imported under.
#[utoipa::path(get, path = "/v1/products/by-external-id/{id}", tag = "catalog", params(("id" = String, Path, description = "The id in the source system")),
    responses((status = 200, description = "The page", body = Object), (status = 404, description = "No such product", body = Object)))]
pub async fn by_external_id(
    State(app): State<App>,
    context: ReadContext,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    page(&app, &context, By::ExternalId(id)).await
}

async fn page(app: &App, context: &ReadContext, by: By) -> Result<Response, Refusal> {
    let verdict = context.wait(app, Hop::Views).await?;
    let key = app.cache.view_key(context.tenant, format!("page {by:?}"));
    if let (Some(key), Verdict::Fresh) = (&key, &verdict)
        && let Some(kept) = app.cache.get(key).await
    {
        return Ok(answer(&kept, &verdict));
    }
    let page = find(&app.pool, context.tenant, &by).await?;
    let page = page.ok_or_else(|| Refusal::not_found("no product of that name in this shop"))?;
    let mut body: serde_json::Value =
        serde_json::from_str(page.page.get()).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    body["freshness"] = json!({"doc_version": page.doc_version, "composed_at": page.updated_at});
    let body = Arc::new(body);
    if let Some(key) = key {
        app.cache.put(key, body.clone()).await;
    }
    Ok(answer(&body, &verdict))
}

fn answer(body: &serde_json::Value, verdict: &Verdict) -> Response {
    let mut response = Json(body).into_response();
    if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", body["version"])) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    mark(response, verdict)
}

/// A page and how old it is.
#[derive(Debug)]
pub struct Page {
    /// The page's JSON.
    pub page: Box<RawValue>,
    /// The version of its search document.
    pub doc_version: i64,
    /// When it was composed.
    pub updated_at: Timestamp,
}

/// By what a page is looked up.
#[derive(Debug, Clone)]
pub enum By {
    /// souk's id.
    Id(Uuid),
    /// The name in addresses.
    Slug(String),
    /// The id it was imported under.
    ExternalId(String),
}

/// Looks a page up.
///
/// # Errors
/// The database's.
pub async fn find(pool: &PgPool, tenant: TenantId, by: &By) -> Result<Option<Page>, sqlx::Error> {
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
fn read(row: PgRow) -> Result<Page, sqlx::Error> {
    let page = RawValue::from_string(row.try_get("page")?).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(Page { page, doc_version: row.try_get("doc_version")?, updated_at: row.try_get("updated_at")? })
}
