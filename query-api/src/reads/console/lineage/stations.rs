//! The queries of the stations.

use super::row::{DeadLetterOfProduct, Kept, ProductNamed, Source, Vector};
use crate::rows;
use schemas::{
    Uuid,
    ids::{ProductId, TenantId},
    topics::partition_key,
};
use sqlx::{PgPool, types::Json};

/// Products of an id, a slug or an external id.
///
/// # Errors
/// The database's.
pub async fn named(pool: &PgPool, tenant: TenantId, name: &str) -> Result<Vec<ProductNamed>, sqlx::Error> {
    let id: Option<Uuid> = name.parse().ok();
    // What has no page yet may have left something in the sources.
    sqlx::query_as(
        "SELECT product_id, slug, external_id, page::jsonb ->> 'title' AS title,
                CASE WHEN product_id = $2 THEN 'id' WHEN slug = $3 THEN 'slug' ELSE 'external id' END AS by
         FROM product_pages WHERE tenant_id = $1 AND (product_id = $2 OR slug = $3 OR external_id = $3)
         UNION
         SELECT product_id, NULL, NULL, NULL, 'id' FROM sources
         WHERE tenant_id = $1 AND product_id = $2
           AND NOT EXISTS (SELECT FROM product_pages AS p WHERE p.tenant_id = $1 AND p.product_id = $2)
         LIMIT 20",
    )
    .bind(tenant.uuid())
    .bind(id)
    .bind(name)
    .fetch_all(pool)
    .await
}

/// The same of products that a search has found, in its order.
///
/// # Errors
/// The database's.
pub async fn by_id(pool: &PgPool, tenant: TenantId, products: &[ProductId]) -> Result<Vec<ProductNamed>, sqlx::Error> {
    sqlx::query_as(
        "SELECT p.product_id, p.slug, p.external_id, p.page::jsonb ->> 'title' AS title, 'search' AS by
         FROM product_pages AS p JOIN unnest($2::uuid[]) WITH ORDINALITY AS wanted(id, place) ON p.product_id = wanted.id
         WHERE p.tenant_id = $1 ORDER BY wanted.place",
    )
    .bind(tenant.uuid())
    .bind(products.iter().map(|product| product.uuid()).collect::<Vec<_>>())
    .fetch_all(pool)
    .await
}

/// Everything that the read database has of a product.
///
/// # Errors
/// The database's.
pub async fn kept(pool: &PgPool, tenant: TenantId, product: ProductId) -> Result<Kept, sqlx::Error> {
    let page = sqlx::query_scalar(
        "SELECT to_jsonb(t) FROM (
           SELECT slug, external_id, status, doc_version, updated_at, next_price_change_at, page::jsonb ->> 'title' AS title
           FROM product_pages WHERE tenant_id = $1 AND product_id = $2) AS t",
    )
    .bind(tenant.uuid())
    .bind(product.uuid())
    .fetch_optional(pool)
    .await?;
    let document = sqlx::query_scalar(
        "SELECT to_jsonb(t) FROM (
           SELECT doc_version, content_hash, text_hash, deleted, body::jsonb AS body,
                  EXISTS (SELECT FROM document_outbox AS o WHERE o.tenant_id = $1 AND o.product_id = $2) AS waiting
           FROM documents WHERE tenant_id = $1 AND product_id = $2) AS t",
    )
    .bind(tenant.uuid())
    .bind(product.uuid())
    .fetch_optional(pool)
    .await?;
    let sources = sources(pool, tenant, product).await?;
    let key = partition_key(tenant, product.uuid());
    Ok(Kept {
        product_id: product,
        dead_letters: dead_letters(pool, &key).await?,
        key,
        last_event_time: sources.iter().map(|source| source.event_time).max(),
        sources,
        page: page.map(|Json(page)| page),
        document: document.map(|Json(document)| document),
        vectors: vectors(pool, tenant, product).await?,
    })
}

async fn sources(pool: &PgPool, tenant: TenantId, product: ProductId) -> Result<Vec<Source>, sqlx::Error> {
    let sources = sqlx::query_scalar(
        "SELECT to_jsonb(t) FROM (
           SELECT context, aggregate, aggregate_id, version, deleted, event_time, body::jsonb AS body FROM sources
           WHERE tenant_id = $1 AND product_id = $2 ORDER BY context, event_time) AS t",
    )
    .bind(tenant.uuid())
    .bind(product.uuid())
    .fetch_all(pool)
    .await?;
    Ok(rows::plain(sources))
}

async fn vectors(pool: &PgPool, tenant: TenantId, product: ProductId) -> Result<Vec<Vector>, sqlx::Error> {
    sqlx::query_as(
        "SELECT model_id, doc_version, content_hash FROM embeddings WHERE tenant_id = $1 AND product_id = $2
         ORDER BY model_id",
    )
    .bind(tenant.uuid())
    .bind(product.uuid())
    .fetch_all(pool)
    .await
}

async fn dead_letters(pool: &PgPool, key: &str) -> Result<Vec<DeadLetterOfProduct>, sqlx::Error> {
    let found = sqlx::query_scalar(
        "SELECT to_jsonb(t) FROM (
           SELECT id, state, topic, partition, record_offset, error FROM dead_letters
           WHERE aggregate_key = $1 AND state IN ('parked', 'queued', 'retrying') ORDER BY id LIMIT 100) AS t",
    )
    .bind(key)
    .fetch_all(pool)
    .await?;
    Ok(rows::plain(found))
}
