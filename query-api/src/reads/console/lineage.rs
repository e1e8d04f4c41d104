//! One product from its events to its hit: what the views keep of it at each station.

use crate::{
    app::App,
    problem::Refusal,
    queries::search as searching,
    read_model::{Isolation, ReadModel},
    request::ReadContext,
    staff::Staff,
};
use ::search::query::SearchRequest;
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
};
use schemas::{
    Uuid,
    ids::{ProductId, TenantId},
    topics::partition_key,
};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgPool;
use utoipa_axum::{router::OpenApiRouter, routes};

/// One product from its events to its hit: what the views keep of it at each station.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[Isolation::staff("/v1/console/lineage"), Isolation::staff("/v1/console/lineage/{product}")],
};

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(look_up)).routes(routes!(of_product))
}

/// Products that a look-up by words gives.
const CANDIDATES: usize = 10;

/// Products of an id, a slug or an external id: `product_id`, `slug`, `external_id`, `title` and by what.
async fn named(pool: &PgPool, tenant: TenantId, name: &str) -> Result<Vec<Value>, sqlx::Error> {
    let id: Option<Uuid> = name.parse().ok();
    // What has no page yet may have left something in the sources.
    sqlx::query_scalar(
        "SELECT to_jsonb(t) FROM (
           SELECT product_id, slug, external_id, page::jsonb ->> 'title' AS title,
                  CASE WHEN product_id = $2 THEN 'id' WHEN slug = $3 THEN 'slug' ELSE 'external id' END AS by
           FROM product_pages WHERE tenant_id = $1 AND (product_id = $2 OR slug = $3 OR external_id = $3)
           UNION
           SELECT product_id, NULL, NULL, NULL, 'id' FROM sources
           WHERE tenant_id = $1 AND product_id = $2
             AND NOT EXISTS (SELECT FROM product_pages AS p WHERE p.tenant_id = $1 AND p.product_id = $2)
           LIMIT 20) AS t",
    )
    .bind(tenant.uuid())
    .bind(id)
    .bind(name)
    .fetch_all(pool)
    .await
}

/// The same of products that a search has found, in its order.
async fn by_id(pool: &PgPool, tenant: TenantId, products: &[ProductId]) -> Result<Vec<Value>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT to_jsonb(t) FROM (
           SELECT p.product_id, p.slug, p.external_id, p.page::jsonb ->> 'title' AS title, 'search' AS by
           FROM product_pages AS p JOIN unnest($2::uuid[]) WITH ORDINALITY AS wanted(id, place) ON p.product_id = wanted.id
           WHERE p.tenant_id = $1 ORDER BY wanted.place) AS t",
    )
    .bind(tenant.uuid())
    .bind(products.iter().map(|product| product.uuid()).collect::<Vec<_>>())
    .fetch_all(pool)
    .await
}

/// Everything that the read database has of a product: `sources`, `page`, `document`, `vectors`, `letters`.
async fn kept(pool: &PgPool, tenant: TenantId, product: ProductId) -> Result<Value, sqlx::Error> {
    let rows = async |query: &'static str| -> Result<Vec<Value>, sqlx::Error> {
        sqlx::query_scalar(query).bind(tenant.uuid()).bind(product.uuid()).fetch_all(pool).await
    };
    let sources = rows(
        "SELECT to_jsonb(t) FROM (
           SELECT context, aggregate, aggregate_id, version, deleted, event_time, body::jsonb AS body FROM sources
           WHERE tenant_id = $1 AND product_id = $2 ORDER BY context, event_time) AS t",
    )
    .await?;
    let pages = rows(
        "SELECT to_jsonb(t) FROM (
           SELECT slug, external_id, status, doc_version, updated_at, next_price_change_at, page::jsonb ->> 'title' AS title
           FROM product_pages WHERE tenant_id = $1 AND product_id = $2) AS t",
    )
    .await?;
    let documents = rows(
        "SELECT to_jsonb(t) FROM (
           SELECT doc_version, content_hash, text_hash, deleted, body::jsonb AS body,
                  EXISTS (SELECT FROM document_outbox AS o WHERE o.tenant_id = $1 AND o.product_id = $2) AS waiting
           FROM documents WHERE tenant_id = $1 AND product_id = $2) AS t",
    )
    .await?;
    let vectors = rows(
        "SELECT to_jsonb(t) FROM (
           SELECT model_id, doc_version, content_hash FROM embeddings WHERE tenant_id = $1 AND product_id = $2
           ORDER BY model_id) AS t",
    )
    .await?;
    let key = partition_key(tenant, product.uuid());
    let letters: Vec<Value> = sqlx::query_scalar(
        "SELECT to_jsonb(t) FROM (
           SELECT id, state, topic, partition, record_offset, error FROM dead_letters
           WHERE aggregate_key = $1 AND state IN ('parked', 'queued', 'retrying') ORDER BY id LIMIT 100) AS t",
    )
    .bind(&key)
    .fetch_all(pool)
    .await?;
    let last = sources.iter().filter_map(|source| source["event_time"].as_str()).max().map(str::to_owned);
    Ok(json!({
        "product_id": product,
        "key": key,
        "sources": sources,
        "last_event_time": last,
        "page": pages.into_iter().next(),
        "document": documents.into_iter().next(),
        "vectors": vectors,
        "letters": letters,
    }))
}

/// What is looked up.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Words {
    /// An id, a SKU, a slug, an external id, or words
    q: String,
}

/// Products by whatever names them.
#[utoipa::path(get, path = "/v1/console/lineage", tag = "console", params(Words),
    responses((status = 200, description = "`products`, and `by` what each was found", body = Object), (status = 401, description = "The staff key is missing", body = Object)))]
pub async fn look_up(
    State(app): State<App>,
    _: Staff,
    context: ReadContext,
    words: Result<Query<Words>, QueryRejection>,
) -> Result<Json<Value>, Refusal> {
    let words = words?.0;
    let named = named(&app.pool, context.tenant, words.q.trim()).await?;
    if !named.is_empty() {
        return Ok(Json(json!({"products": named})));
    }
    // SKUs and words are the index's to know.
    let snapshot = app.index.get().ok_or_else(Refusal::no_index)?.snapshot();
    let request = SearchRequest::text(context.tenant, words.q.trim(), CANDIDATES);
    let found = searching::run(&app, snapshot, searching::Mode::Lexical, request).await?;
    let ids: Vec<ProductId> = found.hits.iter().map(|hit| hit.card.id).collect();
    Ok(Json(json!({"products": by_id(&app.pool, context.tenant, &ids).await?})))
}

/// One product from its events to its hit.
#[utoipa::path(get, path = "/v1/console/lineage/{product}", tag = "console", params(("product" = String, Path, description = "souk's id")),
    responses((status = 200, description = "`sources`, `page`, `document`, `generations` (as open on this node), `vectors`, `letters`, `found`", body = Object), (status = 401, description = "The staff key is missing", body = Object)))]
pub async fn of_product(
    State(app): State<App>,
    _: Staff,
    context: ReadContext,
    Path(product): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let product: ProductId = product.parse().map_err(|_| Refusal::parameter("product", "a UUID is expected"))?;
    let mut lineage = kept(&app.pool, context.tenant, product).await?;
    let active = app.index.get();
    let name = active.as_ref().map(|handle| handle.manifest().generation.clone()).unwrap_or_default();
    let open = app.index.open();
    let tenant = context.tenant;
    let held = searching::blocking(&app, move || {
        let held = open.into_iter().map(|(generation, handle)| {
            let version = handle.snapshot().version_of(tenant, product)?;
            Ok(json!({"active": generation == name, "generation": generation, "version": version}))
        });
        held.collect::<Result<Vec<Value>, ::search::IndexError>>()
    })
    .await?;
    let title = lineage["page"]["title"].as_str().or(lineage["document"]["body"]["title"].as_str()).map(str::to_owned);
    let (mut found, mut reason) = (false, Value::Null);
    if let (Some(handle), Some(title)) = (active, &title) {
        let (snapshot, request) = (handle.snapshot(), SearchRequest::text(tenant, title, 1));
        let why = searching::blocking(&app, move || ::search::lexical::why(&snapshot, &request, product)).await?;
        (found, reason) = (why.found, json!(why.reason));
    }
    lineage["title"] = json!(title);
    lineage["generations"] = held.into();
    lineage["found"] = found.into();
    lineage["reason"] = reason;
    Ok(Json(lineage))
}
