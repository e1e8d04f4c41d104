//! The rows of pages, listings and documents, written for many products at once.

use super::{Changed, Key};
use crate::{document::Composed, stored};
use schemas::{
    Timestamp, Uuid,
    ids::{ProductId, TenantId},
};
use search::query::HitCard;
use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;

/// What is stored of a document already.
#[derive(Debug)]
pub struct KnownDocument {
    pub doc_version: u64,
    pub content_hash: String,
}

pub async fn known_documents(
    connection: &mut PgConnection,
    keys: &[Key],
) -> Result<BTreeMap<Key, KnownDocument>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT d.tenant_id, d.product_id, d.doc_version, d.content_hash
         FROM unnest($1::uuid[], $2::uuid[]) AS k(t, p) JOIN documents d ON d.tenant_id = k.t AND d.product_id = k.p",
    )
    .bind(tenants(keys))
    .bind(products(keys))
    .fetch_all(connection)
    .await?;
    let mut known = BTreeMap::new();
    for row in rows {
        let document = KnownDocument {
            doc_version: stored::read_version(row.try_get("doc_version")?),
            content_hash: row.try_get("content_hash")?,
        };
        known.insert((TenantId(row.try_get("tenant_id")?), ProductId(row.try_get("product_id")?)), document);
    }
    Ok(known)
}

pub async fn store_pages(
    connection: &mut PgConnection,
    composed: &[(Key, Option<Composed>)],
    versions: &BTreeMap<Key, u64>,
    known: &BTreeMap<Key, KnownDocument>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let gone: Vec<Key> = composed.iter().filter(|(_, result)| result.is_none()).map(|(key, _)| *key).collect();
    sqlx::query(
        "DELETE FROM product_pages USING unnest($1::uuid[], $2::uuid[]) AS k(t, p) WHERE tenant_id = k.t AND product_id = k.p",
    )
    .bind(tenants(&gone))
    .bind(products(&gone))
    .execute(&mut *connection)
    .await?;
    let there: Vec<(Key, &Composed)> =
        composed.iter().filter_map(|(key, result)| Some((*key, result.as_ref()?))).collect();
    let keys: Vec<Key> = there.iter().map(|(key, _)| *key).collect();
    let doc_version = |key: &Key| versions.get(key).copied().or_else(|| known.get(key).map(|known| known.doc_version));
    let pages: Vec<String> = there
        .iter()
        .map(|(_, c)| serde_json::to_string(&c.page).map_err(|error| sqlx::Error::Encode(Box::new(error))))
        .collect::<Result<_, _>>()?;
    sqlx::query(
        "INSERT INTO product_pages (tenant_id, product_id, slug, external_id, status, doc_version, page, updated_at,
                                    next_price_change_at, category_ids)
         SELECT t, p, slug, external_id, status, doc_version, page, $8, next_change, categories::uuid[]
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $9::timestamptz[],
                     $10::text[])
              AS rows(t, p, slug, external_id, status, doc_version, page, next_change, categories)
         ON CONFLICT (tenant_id, product_id) DO UPDATE
         SET slug = excluded.slug, external_id = excluded.external_id, status = excluded.status,
             doc_version = excluded.doc_version, page = excluded.page, updated_at = excluded.updated_at,
             next_price_change_at = excluded.next_price_change_at, category_ids = excluded.category_ids",
    )
    .bind(tenants(&keys))
    .bind(products(&keys))
    .bind(there.iter().map(|(_, c)| c.page.slug.as_str()).collect::<Vec<_>>())
    .bind(there.iter().map(|(_, c)| c.page.external_id.as_deref()).collect::<Vec<_>>())
    .bind(there.iter().map(|(_, c)| c.page.status.name()).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| stored::version(doc_version(key).unwrap_or_default())).collect::<Vec<_>>())
    .bind(pages)
    .bind(now)
    .bind(there.iter().map(|(_, c)| c.next_price_change_at).collect::<Vec<_>>())
    .bind(there.iter().map(|(_, c)| stored::array(&c.category_ids)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn store_listing(
    connection: &mut PgConnection,
    composed: &[(Key, Option<Composed>)],
) -> Result<(), sqlx::Error> {
    let keys: Vec<Key> = composed.iter().map(|(key, _)| *key).collect();
    sqlx::query(
        "DELETE FROM listing USING unnest($1::uuid[], $2::uuid[]) AS k(t, p) WHERE tenant_id = k.t AND product_id = k.p",
    )
    .bind(tenants(&keys))
    .bind(products(&keys))
    .execute(&mut *connection)
    .await?;
    let mut rows: Vec<(Key, Uuid, HitCard)> = Vec::new();
    for (key, result) in composed {
        let Some((composed, product)) = result.as_ref().and_then(|c| Some((c, c.search.as_ref()?))) else { continue };
        let card = HitCard::new(key.1, product);
        rows.extend(composed.category_ids.iter().map(|category| (*key, category.uuid(), card.clone())));
    }
    if rows.is_empty() {
        return Ok(());
    }
    let cards: Vec<serde_json::Value> = rows
        .iter()
        .map(|(_, _, card)| serde_json::to_value(card).map_err(|error| sqlx::Error::Encode(Box::new(error))))
        .collect::<Result<_, _>>()?;
    sqlx::query(
        "INSERT INTO listing (tenant_id, category_id, product_id, title, available, released_at, card)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bool[], $6::timestamptz[], $7::jsonb[])",
    )
    .bind(rows.iter().map(|(key, _, _)| key.0.uuid()).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, category, _)| *category).collect::<Vec<_>>())
    .bind(rows.iter().map(|(key, _, _)| key.1.uuid()).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, _, card)| card.title.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, _, card)| card.available).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, _, card)| card.released_at).collect::<Vec<_>>())
    .bind(cards)
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn store_documents(connection: &mut PgConnection, changed: &[Changed]) -> Result<(), sqlx::Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let keys: Vec<Key> = changed.iter().map(|document| document.key).collect();
    let versions: Vec<i64> = changed.iter().map(|document| stored::version(document.doc_version)).collect();
    sqlx::query(
        "INSERT INTO documents (tenant_id, product_id, doc_version, content_hash, text_hash, deleted, body)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::bool[], $7::text[])
         ON CONFLICT (tenant_id, product_id) DO UPDATE
         SET doc_version = excluded.doc_version, content_hash = excluded.content_hash, text_hash = excluded.text_hash,
             deleted = excluded.deleted, body = excluded.body",
    )
    .bind(tenants(&keys))
    .bind(products(&keys))
    .bind(&versions)
    .bind(changed.iter().map(|d| d.content_hash.as_str()).collect::<Vec<_>>())
    .bind(changed.iter().map(|d| d.text_hash.as_deref()).collect::<Vec<_>>())
    .bind(changed.iter().map(|d| d.removed).collect::<Vec<_>>())
    .bind(changed.iter().map(|d| d.body.as_str()).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO document_outbox (tenant_id, product_id, doc_version, event_time, correlation_id, traceparent)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[])
         ON CONFLICT (tenant_id, product_id) DO UPDATE
         SET doc_version = excluded.doc_version, event_time = excluded.event_time,
             correlation_id = excluded.correlation_id, traceparent = excluded.traceparent",
    )
    .bind(tenants(&keys))
    .bind(products(&keys))
    .bind(versions)
    .bind(changed.iter().map(|d| d.origin.event_time).collect::<Vec<_>>())
    .bind(changed.iter().map(|d| d.origin.correlation_id.as_str()).collect::<Vec<_>>())
    .bind(changed.iter().map(|d| d.origin.traceparent.as_deref()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

fn tenants(keys: &[Key]) -> Vec<Uuid> {
    keys.iter().map(|(tenant, _)| tenant.uuid()).collect()
}

fn products(keys: &[Key]) -> Vec<Uuid> {
    keys.iter().map(|(_, product)| product.uuid()).collect()
}
