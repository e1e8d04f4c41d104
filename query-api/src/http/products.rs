//! Product pages by id, slug and external id.

use super::{
    Refusal,
    context::{ReadContext, mark},
};
use crate::{
    App,
    freshness::{Hop, Verdict},
    queries::pages::{self, By},
};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::sync::Arc;

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
    let page = pages::find(&app.pool, context.tenant, &by).await?;
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
