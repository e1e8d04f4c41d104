//! Product pages, category listings and search documents: composed once per touched product.

use super::{
    categories, category_walks,
    touched::{Origin, Touched},
};
use crate::{
    document::{self, CategoryPaths, Composed, Parts},
    holds::Holds,
    projection::{Moment, Projection, Retold, Ticked, ViewTable},
    stored,
};
use eventlog::Event;
use schemas::{
    Timestamp,
    events::{CatalogEvent, DomainEvent},
    ids::{CategoryId, ProductId, TenantId, VariantId},
    topics::Context,
};
use search::{
    bundle::EmbeddedText,
    document::{SearchDocument, SearchProduct},
    embed, text,
};
use sqlx::{PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};

mod rows;
mod steps;

/// Products composed at a time, so that memory stays bounded when a whole tree of categories moves.
const CHUNK: usize = 1_000;

/// Rows of products that no walk of either set of views is about: those are composed once more, wherever they are.
macro_rules! is_settled {
    () => {
        "NOT EXISTS (SELECT FROM (TABLE public.category_walks UNION ALL TABLE standby.category_walks) AS w
           JOIN public.product_pages AS p ON p.tenant_id = w.tenant_id AND p.category_ids && w.category_ids
           WHERE p.tenant_id = r.tenant_id AND p.product_id = r.product_id)"
    };
}

type Key = (TenantId, ProductId);

/// Products with their pages, listings, documents and the categories they stand in.
#[derive(Debug)]
pub struct Products;

impl Projection for Products {
    const NAME: &'static str = "products";
    const READS: &'static [Context] = &[Context::Catalog, Context::Pricing, Context::Inventory];
    const TABLES: &'static [ViewTable] = &[
        ViewTable::whole("categories", "tenant_id, category_id"),
        category_walks::TABLE,
        // The time at which a page was composed differs, and equal documents get equal versions by a promotion.
        ViewTable {
            equal: "(to_jsonb(r) - 'doc_version' - 'updated_at')::text",
            only: is_settled!(),
            ..ViewTable::whole("product_pages", "tenant_id, product_id")
        },
        ViewTable { only: is_settled!(), ..ViewTable::whole("listing", "tenant_id, category_id, product_id") },
        // What was removed may never have been composed by a set that saw it made and removed at once.
        ViewTable {
            equal: r#"concat_ws('|', content_hash, text_hash, regexp_replace(body, '"doc_version":[0-9]+', ''))"#,
            only: concat!("NOT deleted AND ", is_settled!()),
            ..ViewTable::whole("documents", "tenant_id, product_id")
        },
    ];
    const BY_AGGREGATE: bool = true;

    async fn apply(connection: &mut PgConnection, events: &[&Event], now: Timestamp) -> Result<(), sqlx::Error> {
        let mut touched = Touched::default();
        events.iter().for_each(|event| touch(&mut touched, event));
        compose(connection, touched, now).await
    }

    /// Products are composed with paths of the tree that other shares change, and a change of the tree composes products of
    /// all shares: either is done by the time the other begins.
    async fn hold(transaction: &mut PgConnection, events: &[&Event]) -> Result<(), sqlx::Error> {
        let mut touched = Touched::default();
        events.iter().for_each(|event| touch(&mut touched, event));
        let mut trees = trees();
        touched.products.keys().for_each(|(tenant, _)| trees.shared(tenant.uuid().as_bytes()));
        touched.categories.keys().for_each(|tenant| trees.alone(tenant.uuid().as_bytes()));
        trees.take(transaction).await
    }

    async fn tick(connection: &mut PgConnection, at: &Moment) -> Result<Ticked, sqlx::Error> {
        steps::take(connection, at.now).await
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

/// The trees of shops, with all that is composed with them.
const fn trees() -> Holds {
    Holds::of("trees")
}

/// Which products and categories an event changes.
fn touch(touched: &mut Touched, event: &Event) {
    let (tenant, id, origin) = (event.envelope.tenant, event.envelope.aggregate_id, Origin::of(event));
    if let DomainEvent::Pricing(event) = &event.event {
        touched.product(tenant, event.product_id(), &origin);
    }
    // What is held and given back of something that there is plenty of changes nothing that anybody sees.
    if let DomainEvent::Inventory(event) = &event.event
        && document::is_seen(event)
    {
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
            | CatalogEvent::ProductScheduled(_)
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
        let version = stored::read_version(row.try_get("version")?);
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
