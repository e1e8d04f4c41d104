//! Product pages, category listings and search documents: composed once per touched product.

use super::{
    categories,
    touched::{Origin, Touched},
};
use crate::{
    blame,
    document::{self, CategoryPaths, Composed, Parts},
    projection::{Moment, Projection, Retold, Ticked, ViewTable},
};
use eventlog::Event;
use schemas::{
    Timestamp, Uuid,
    events::{CatalogEvent, DomainEvent},
    ids::{CategoryId, ProductId, TenantId, VariantId},
    topics::Context,
};
use search::{
    bundle::EmbeddedText,
    document::{SearchDocument, SearchProduct},
    embed, text,
};
use sqlx::{Connection, PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};

mod rows;

/// Products composed at a time, so that memory stays bounded when a whole tree of categories moves.
const CHUNK: usize = 1_000;

/// Products with a due price that one round of scheduled work composes; the next round follows at once while there are more.
pub const DUE_AT_ONCE: usize = 1_000;

type Key = (TenantId, ProductId);

/// Products with their pages, listings, documents and the categories they stand in.
#[derive(Debug)]
pub struct Products;

impl Projection for Products {
    const NAME: &'static str = "products";
    const READS: &'static [Context] = &[Context::Catalog, Context::Pricing, Context::Inventory];
    const TABLES: &'static [ViewTable] = &[
        ViewTable::whole("categories", "tenant_id, category_id"),
        // The time at which a page was composed differs, and equal documents get equal versions by a promotion.
        ViewTable {
            equal: "(to_jsonb(r) - 'doc_version' - 'updated_at')::text",
            ..ViewTable::whole("product_pages", "tenant_id, product_id")
        },
        ViewTable::whole("listing", "tenant_id, category_id, product_id"),
        // What was removed may never have been composed by a set that saw it made and removed at once.
        ViewTable {
            equal: r#"concat_ws('|', content_hash, text_hash, regexp_replace(body, '"doc_version":[0-9]+', ''))"#,
            only: "NOT deleted",
            ..ViewTable::whole("documents", "tenant_id, product_id")
        },
    ];
    const BY_AGGREGATE: bool = true;

    async fn apply(connection: &mut PgConnection, events: &[&Event], now: Timestamp) -> Result<(), sqlx::Error> {
        let mut touched = Touched::default();
        events.iter().for_each(|event| touch(&mut touched, event));
        compose(connection, touched, now).await
    }

    async fn tick(connection: &mut PgConnection, at: &Moment) -> Result<Ticked, sqlx::Error> {
        let changed = project_due_prices(connection, at.now).await?;
        Ok(Ticked { changed, pruned: 0, has_more: changed >= DUE_AT_ONCE })
    }

    async fn settle(connection: &mut PgConnection, retold: &[Retold], now: Timestamp) -> Result<(), sqlx::Error> {
        let mut touched = Touched::default();
        for one in retold {
            let origin =
                Origin { event_time: one.event_time, correlation_id: "log-epoch".to_owned(), traceparent: None };
            match one.product {
                Some(product) => touched.product(one.tenant, ProductId(product), &origin),
                None if one.aggregate == "category" => touched.category(one.tenant, CategoryId(one.id), origin),
                None if one.aggregate == "product" => touched.product(one.tenant, ProductId(one.id), &origin),
                None => {}
            }
        }
        compose(connection, touched, now).await
    }
}

/// Which products and categories an event changes.
fn touch(touched: &mut Touched, event: &Event) {
    let (tenant, id, origin) = (event.envelope.tenant, event.envelope.aggregate_id, Origin::of(event));
    if let DomainEvent::Pricing(event) = &event.event {
        touched.product(tenant, event.product_id(), &origin);
    }
    if let DomainEvent::Inventory(event) = &event.event {
        touched.product(tenant, event.product_id(), &origin);
    }
    if let DomainEvent::Catalog(event) = &event.event {
        match event {
            CatalogEvent::CategoryCreated(_) | CatalogEvent::CategoryChanged(_) | CatalogEvent::CategoryDeleted(_) => {
                touched.category(tenant, CategoryId(id), origin);
            }
            CatalogEvent::ProductCreated(_)
            | CatalogEvent::ProductChanged(_)
            | CatalogEvent::ProductPublished(_)
            | CatalogEvent::ProductArchived(_)
            | CatalogEvent::ProductDeleted(_) => touched.product(tenant, ProductId(id), &origin),
        }
    }
}

async fn compose(connection: &mut PgConnection, mut touched: Touched, now: Timestamp) -> Result<(), sqlx::Error> {
    categories::project(connection, &mut touched).await?;
    project(connection, &touched.products, now).await
}

/// A document whose content changed.
#[derive(Debug)]
struct Changed {
    key: Key,
    doc_version: u64,
    content_hash: String,
    text_hash: Option<String>,
    body: String,
    removed: bool,
    origin: Origin,
}

/// Composes the products and writes what follows.
///
/// # Errors
/// The database's.
pub async fn project(
    connection: &mut PgConnection,
    touched: &BTreeMap<Key, Origin>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let tenants: BTreeSet<TenantId> = touched.keys().map(|(tenant, _)| *tenant).collect();
    let mut paths: BTreeMap<TenantId, CategoryPaths> = BTreeMap::new();
    for tenant in tenants {
        paths.insert(tenant, categories::stored_paths(connection, tenant).await?);
    }
    let all: Vec<(&Key, &Origin)> = touched.iter().collect();
    for chunk in all.chunks(CHUNK) {
        compose_chunk(connection, chunk, &paths, now).await?;
    }
    Ok(())
}

/// Composes the products of which a scheduled price has started or ended, [`DUE_AT_ONCE`] at most; gives how many.
///
/// One that can't be composed waits an hour and holds up no other.
///
/// # Errors
/// The database's.
pub async fn project_due_prices(connection: &mut PgConnection, now: Timestamp) -> Result<usize, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT tenant_id, product_id FROM product_pages WHERE next_price_change_at <= $1
         ORDER BY next_price_change_at LIMIT $2",
    )
    .bind(now)
    .bind(i64::try_from(DUE_AT_ONCE).unwrap_or(i64::MAX))
    .fetch_all(&mut *connection)
    .await?;
    let origin = Origin { event_time: now, correlation_id: "scheduled-price".to_owned(), traceparent: None };
    let touched: BTreeMap<Key, Origin> =
        rows.into_iter().map(|(tenant, product)| ((TenantId(tenant), ProductId(product)), origin.clone())).collect();
    if touched.is_empty() || project_behind_savepoint(connection, &touched, now).await? {
        return Ok(touched.len());
    }
    for (key, origin) in &touched {
        let one = BTreeMap::from([(*key, origin.clone())]);
        if !project_behind_savepoint(connection, &one, now).await? {
            sqlx::query("UPDATE product_pages SET next_price_change_at = $3 WHERE tenant_id = $1 AND product_id = $2")
                .bind(key.0.uuid())
                .bind(key.1.uuid())
                .bind(now + chrono::Duration::hours(1))
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(touched.len())
}

/// Composes products; gives whether the database took it. If not, nothing of it is kept.
async fn project_behind_savepoint(
    connection: &mut PgConnection,
    touched: &BTreeMap<Key, Origin>,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let mut savepoint = connection.begin().await?;
    match project(&mut savepoint, touched, now).await {
        Ok(()) => savepoint.commit().await.map(|()| true),
        Err(error) if blame::is_of_data(&error) => {
            savepoint.rollback().await?;
            tracing::error!(%error, products = touched.len(), "products with a due price can't be composed");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

async fn compose_chunk(
    connection: &mut PgConnection,
    chunk: &[(&Key, &Origin)],
    paths: &BTreeMap<TenantId, CategoryPaths>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let keys: Vec<Key> = chunk.iter().map(|(key, _)| **key).collect();
    let parts = load_parts(connection, &keys).await?;
    let known = rows::known_documents(connection, &keys).await?;
    let (none, no_parts) = (CategoryPaths::new(), Parts::default());
    let mut composed: Vec<(Key, Option<Composed>)> = Vec::with_capacity(keys.len());
    let mut changed: Vec<Changed> = Vec::new();
    for (key, origin) in chunk {
        let of_product = parts.get(*key).unwrap_or(&no_parts);
        let result = document::compose(key.1, of_product, paths.get(&key.0).unwrap_or(&none), now);
        let product = result.as_ref().and_then(|composed| composed.search.as_ref());
        if let Some(document) = document_change(**key, product, known.get(*key), origin, now)? {
            changed.push(document);
        }
        composed.push((**key, result));
    }
    let versions: BTreeMap<Key, u64> = changed.iter().map(|document| (document.key, document.doc_version)).collect();
    rows::store_pages(connection, &composed, &versions, &known, now).await?;
    rows::store_listing(connection, &composed).await?;
    rows::store_documents(connection, &changed).await
}

/// The document if its content differs from the one that is known.
fn document_change(
    key: Key,
    product: Option<&SearchProduct>,
    known: Option<&rows::KnownDocument>,
    origin: &Origin,
    now: Timestamp,
) -> Result<Option<Changed>, sqlx::Error> {
    let unreadable = |error: serde_json::Error| sqlx::Error::Encode(Box::new(error));
    let content_hash = match product {
        Some(product) => text::hash(&serde_json::to_string(product).map_err(unreadable)?),
        None => "removed".to_owned(),
    };
    // What was never found needs no record that it is gone.
    if known.map_or("removed", |known| &known.content_hash) == content_hash {
        return Ok(None);
    }
    // Versions grow with time, so that those of a rebuilt view are above all that were published before.
    let clock = u64::try_from(now.timestamp_micros()).unwrap_or_default();
    let doc_version = known.map_or(clock, |known| clock.max(known.doc_version + 1));
    let document = SearchDocument { tenant_id: key.0, product_id: key.1, doc_version, product: product.cloned() };
    Ok(Some(Changed {
        key,
        doc_version,
        content_hash,
        text_hash: product.map(|product| embed::embedding_hash(product, &EmbeddedText::default())),
        body: serde_json::to_string(&document).map_err(unreadable)?,
        removed: product.is_none(),
        origin: origin.clone(),
    }))
}

async fn load_parts(connection: &mut PgConnection, keys: &[Key]) -> Result<BTreeMap<Key, Parts>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT s.tenant_id, s.product_id, s.context, s.aggregate_id, s.version, s.body
         FROM unnest($1::uuid[], $2::uuid[]) AS k(t, p)
         CROSS JOIN LATERAL (SELECT * FROM sources
                             WHERE tenant_id = k.t AND product_id = k.p AND NOT deleted OFFSET 0) s",
    )
    .bind(keys.iter().map(|(tenant, _)| tenant.uuid()).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, product)| product.uuid()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let unreadable = |error: serde_json::Error| sqlx::Error::Decode(Box::new(error));
    let mut parts: BTreeMap<Key, Parts> = BTreeMap::new();
    for row in rows {
        let key = (TenantId(row.try_get("tenant_id")?), ProductId(row.try_get("product_id")?));
        let variant = VariantId(row.try_get("aggregate_id")?);
        let version = u64::try_from(row.try_get::<i64, _>("version")?).unwrap_or_default();
        let (context, body): (String, String) = (row.try_get("context")?, row.try_get("body")?);
        let parts = parts.entry(key).or_default();
        // Only what `READS` names is kept in `sources`.
        if context == Context::Catalog.name() {
            parts.catalog = Some((version, serde_json::from_str(&body).map_err(unreadable)?));
        } else if context == Context::Pricing.name() {
            parts.prices.insert(variant, (version, serde_json::from_str(&body).map_err(unreadable)?));
        } else if context == Context::Inventory.name() {
            parts.stock.insert(variant, (version, serde_json::from_str(&body).map_err(unreadable)?));
        }
    }
    Ok(parts)
}
