//! The sources view: the version of each aggregate that is known, and what of it products are composed from. What is
//! not newer than the row is left out, so replays and duplicates are no-ops in every projection.

use crate::{
    document::{CatalogPart, Status},
    projection::ViewTable,
};
use eventlog::Event;
use schemas::{
    Timestamp, Uuid,
    events::{CatalogEvent, DomainEvent, InventoryEvent, PricingEvent},
    ids::TenantId,
    topics::Context,
};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{PgConnection, Row};
use std::collections::{BTreeMap, HashSet};

type Key = (TenantId, Context, Uuid);

/// One aggregate's row.
#[derive(Debug, Clone)]
struct Source {
    aggregate: String,
    product_id: Option<Uuid>,
    version: u64,
    deleted: bool,
    body: String,
    event_time: Timestamp,
}

/// The table.
pub const TABLE: ViewTable = ViewTable::whole("sources", "tenant_id, context, aggregate_id");

/// An event that can't be applied, by its place in the batch, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Index into the events.
    pub index: usize,
    /// A sentence.
    pub reason: String,
}

/// Moves the versions that are known on; gives the events that are new, in their order, and those that can't be
/// applied, with which the later ones of the same key are left out too.
///
/// # Errors
/// The database's.
pub async fn advance<'a>(
    connection: &mut PgConnection,
    events: &'a [Event],
) -> Result<(Vec<&'a Event>, Vec<Refused>), sqlx::Error> {
    let mut rows = load(connection, events).await?;
    let (mut new, mut refused) = (Vec::with_capacity(events.len()), Vec::new());
    let mut changed: BTreeMap<Key, ()> = BTreeMap::new();
    let mut closed: HashSet<&str> = HashSet::new();
    for (index, event) in events.iter().enumerate() {
        let key = (event.envelope.tenant, event.envelope.context, event.envelope.aggregate_id);
        if closed.contains(event.key.as_str()) {
            refused.push(Refused { index, reason: "an earlier event of the same key can't be applied".to_owned() });
            continue;
        }
        if rows.get(&key).is_some_and(|row| row.version >= event.envelope.version) {
            continue;
        }
        match part(rows.get(&key), event) {
            Ok(part) => {
                rows.insert(key, part.row(event));
                changed.insert(key, ());
                new.push(event);
            }
            Err(reason) => {
                closed.insert(&event.key);
                refused.push(Refused { index, reason });
            }
        }
    }
    let changed: Vec<_> = changed.into_keys().filter_map(|key| Some((key, rows.remove(&key)?))).collect();
    store(connection, &changed).await?;
    Ok((new, refused))
}

/// What is kept of an aggregate beside its version.
struct Part {
    product_id: Option<Uuid>,
    deleted: bool,
    body: String,
}

impl Part {
    /// The version is all that has to be known here.
    fn none() -> Self {
        Self { product_id: None, deleted: false, body: "{}".to_owned() }
    }

    fn row(self, event: &Event) -> Source {
        let Self { product_id, deleted, body } = self;
        Source {
            aggregate: event.envelope.aggregate.clone(),
            product_id,
            version: event.envelope.version,
            deleted,
            body,
            event_time: event.envelope.time,
        }
    }
}

/// What is kept after an event: of what products are composed from, its part of the product; of anything else nothing.
fn part(row: Option<&Source>, event: &Event) -> Result<Part, String> {
    if let DomainEvent::Catalog(catalog) = &event.event {
        let is_product = event.envelope.aggregate == "product";
        return Ok(Part {
            product_id: is_product.then_some(event.envelope.aggregate_id),
            deleted: matches!(catalog, CatalogEvent::ProductDeleted(_) | CatalogEvent::CategoryDeleted(_)),
            body: catalog_body(row, catalog)?,
        });
    }
    if let DomainEvent::Pricing(pricing) = &event.event {
        let body = match pricing {
            PricingEvent::Changed(event) => write(&event.entries)?,
            PricingEvent::Removed(_) => "[]".to_owned(),
        };
        return Ok(Part { product_id: Some(pricing.product_id().uuid()), deleted: false, body });
    }
    if let DomainEvent::Inventory(inventory) = &event.event {
        let product_id = Some(inventory.product_id().uuid());
        return Ok(Part { product_id, deleted: false, body: stock_body(row, inventory)? });
    }
    if let DomainEvent::Merchandising(merchandising) = &event.event {
        return Ok(Part {
            deleted: merchandising.content_json().map_err(|error| error.to_string())?.is_none(),
            ..Part::none()
        });
    }
    Ok(Part::none())
}

fn catalog_body(row: Option<&Source>, event: &CatalogEvent) -> Result<String, String> {
    let status = |row: Option<&Source>, status: Status| -> Result<String, String> {
        let row = row.filter(|row| !row.deleted).ok_or("the product this event is about was never seen here")?;
        let mut part: CatalogPart = read(&row.body)?;
        part.status = status;
        write(&part)
    };
    match event {
        CatalogEvent::ProductCreated(event) => {
            write(&CatalogPart { status: Status::Draft, content: event.content.clone() })
        }
        CatalogEvent::ProductChanged(event) => {
            let row = row.filter(|row| !row.deleted).ok_or("the product this event is about was never seen here")?;
            let known: CatalogPart = read(&row.body)?;
            write(&CatalogPart { status: known.status, content: event.content.clone() })
        }
        CatalogEvent::ProductPublished(_) => status(row, Status::Published),
        CatalogEvent::ProductArchived(_) => status(row, Status::Archived),
        CatalogEvent::CategoryCreated(event) | CatalogEvent::CategoryChanged(event) => write(&event.content),
        CatalogEvent::ProductDeleted(_) | CatalogEvent::CategoryDeleted(_) => Ok("{}".to_owned()),
    }
}

fn stock_body(row: Option<&Source>, event: &InventoryEvent) -> Result<String, String> {
    let mut levels: BTreeMap<String, i64> = row.map(|row| read(&row.body)).transpose()?.unwrap_or_default();
    let (location, on_hand) = event.level();
    levels.insert(location.to_owned(), on_hand);
    write(&levels)
}

fn read<T: DeserializeOwned>(body: &str) -> Result<T, String> {
    serde_json::from_str(body).map_err(|error| format!("the stored part can't be read: {error}"))
}

fn write<T: Serialize>(body: &T) -> Result<String, String> {
    serde_json::to_string(body).map_err(|error| format!("the part can't be stored: {error}"))
}

async fn load(connection: &mut PgConnection, events: &[Event]) -> Result<BTreeMap<Key, Source>, sqlx::Error> {
    let keys: HashSet<Key> =
        events.iter().map(|e| (e.envelope.tenant, e.envelope.context, e.envelope.aggregate_id)).collect();
    let rows = sqlx::query(
        "SELECT s.tenant_id, s.context, s.aggregate_id, s.aggregate, s.product_id, s.version, s.deleted, s.body, s.event_time
         FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS k(t, c, a)
         JOIN sources s ON s.tenant_id = k.t AND s.context = k.c AND s.aggregate_id = k.a",
    )
    .bind(keys.iter().map(|(tenant, _, _)| tenant.uuid()).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, context, _)| context.name()).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, _, id)| *id).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let mut known = BTreeMap::new();
    for row in rows {
        let context: String = row.try_get("context")?;
        let context = context.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        let source = Source {
            aggregate: row.try_get("aggregate")?,
            product_id: row.try_get("product_id")?,
            version: u64::try_from(row.try_get::<i64, _>("version")?).unwrap_or_default(),
            deleted: row.try_get("deleted")?,
            body: row.try_get("body")?,
            event_time: row.try_get("event_time")?,
        };
        known.insert((TenantId(row.try_get("tenant_id")?), context, row.try_get("aggregate_id")?), source);
    }
    Ok(known)
}

async fn store(connection: &mut PgConnection, rows: &[(Key, Source)]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO sources (tenant_id, context, aggregate_id, aggregate, product_id, version, deleted, body, event_time)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::uuid[], $6::bigint[], $7::bool[], $8::text[],
                              $9::timestamptz[])
         ON CONFLICT (tenant_id, context, aggregate_id) DO UPDATE
         SET version = excluded.version, deleted = excluded.deleted, body = excluded.body, event_time = excluded.event_time,
             product_id = excluded.product_id
         WHERE sources.version < excluded.version",
    )
    .bind(rows.iter().map(|((tenant, _, _), _)| tenant.uuid()).collect::<Vec<_>>())
    .bind(rows.iter().map(|((_, context, _), _)| context.name()).collect::<Vec<_>>())
    .bind(rows.iter().map(|((_, _, id), _)| *id).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| row.aggregate.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| row.product_id).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| i64::try_from(row.version).unwrap_or(i64::MAX)).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| row.deleted).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| row.body.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| row.event_time).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
