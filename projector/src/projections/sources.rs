//! The sources view: the version of each aggregate that is known, and what of it products are composed from. What is
//! not newer than the row is left out, so replays and duplicates are no-ops in every projection.

use crate::{
    document::{CatalogPart, Status, StockPart},
    projection::ViewTable,
    stored,
};
use eventlog::Event;
use schemas::{
    Timestamp, Uuid,
    events::{CatalogEvent, DomainEvent, InventoryEvent, PricingEvent, catalog::Schedule},
    ids::TenantId,
    topics::Context,
};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{PgConnection, Row, postgres::PgRow};
use std::collections::{BTreeMap, BTreeSet, HashSet};

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
    /// The versions before it that were never seen, if that is why.
    pub gap: Option<Gap>,
}

/// Versions of an aggregate that were never seen, though a later one has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Whose it is.
    pub tenant: TenantId,
    /// The context.
    pub context: Context,
    /// The aggregate.
    pub aggregate: Uuid,
    /// The last version that is known; 0 for none.
    pub after: u64,
    /// The version that has come.
    pub before: u64,
}

/// Moves the versions that are known on; gives the events that are new, in their order, and those that can't be
/// applied, with which the later ones of the same key are left out too.
///
/// Versions are contiguous: an event is taken only after the one before it, unless that was discarded. Events of a shop that was
/// deleted are left out, in whatever order they come.
///
/// # Errors
/// The database's.
pub async fn advance<'a>(
    connection: &mut PgConnection,
    events: &'a [Event],
) -> Result<(Vec<&'a Event>, Vec<Refused>), sqlx::Error> {
    let mut known = load(connection, events).await?;
    let (mut new, mut refused) = (Vec::with_capacity(events.len()), Vec::new());
    let mut closed: HashSet<&str> = HashSet::new();
    for (index, event) in events.iter().enumerate() {
        if known.is_of_no_use(event) {
            continue;
        }
        if closed.contains(event.key.as_str()) {
            let reason = "an earlier event of the same key can't be applied".to_owned();
            refused.push(Refused { index, reason, gap: None });
            continue;
        }
        match known.take(event) {
            Ok(true) => new.push(event),
            Ok(false) => {}
            Err((reason, gap)) => {
                closed.insert(&event.key);
                refused.push(Refused { index, reason, gap });
            }
        }
    }
    store(connection, &known.changed()).await?;
    Ok((new, refused))
}

/// Whether something was discarded in these contexts that [`pass_discarded`] would have count as seen.
///
/// # Errors
/// The database's.
pub async fn is_passing_due(connection: &mut PgConnection, contexts: &[Context]) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM discarded_events AS d LEFT JOIN sources AS s USING (tenant_id, context, aggregate_id)
                        WHERE d.context = ANY($1) AND coalesce(s.version, 0) = d.version - 1)",
    )
    .bind(names(contexts))
    .fetch_one(connection)
    .await
}

/// Has what was discarded in these contexts count as seen, where the version before it is the last that is known; gives how
/// many did.
///
/// # Errors
/// The database's.
pub async fn pass_discarded(connection: &mut PgConnection, contexts: &[Context]) -> Result<u64, sqlx::Error> {
    let mut passed = 0;
    loop {
        let moved = sqlx::query(
            "INSERT INTO sources (tenant_id, context, aggregate_id, aggregate, version, deleted, body, event_time)
             SELECT d.tenant_id, d.context, d.aggregate_id, d.aggregate, d.version, true, '{}', d.event_time
             FROM discarded_events AS d
             LEFT JOIN sources AS s USING (tenant_id, context, aggregate_id)
             WHERE d.context = ANY($1) AND coalesce(s.version, 0) = d.version - 1
             ON CONFLICT (tenant_id, context, aggregate_id) DO UPDATE
             SET version = excluded.version, event_time = excluded.event_time WHERE sources.version = excluded.version - 1",
        )
        .bind(names(contexts))
        .execute(&mut *connection)
        .await?;
        if moved.rows_affected() == 0 {
            return Ok(passed);
        }
        passed += moved.rows_affected();
    }
}

fn names(contexts: &[Context]) -> Vec<&'static str> {
    contexts.iter().map(|context| context.name()).collect()
}

/// What is known of the aggregates of a batch.
#[derive(Default)]
struct Known {
    rows: BTreeMap<Key, Source>,
    discarded: BTreeMap<Key, BTreeMap<u64, Discarded>>,
    changed: BTreeSet<Key>,
    /// The shops that were deleted.
    deleted: HashSet<TenantId>,
}

/// An event that an operator gave up.
struct Discarded {
    aggregate: String,
    event: Uuid,
    time: Timestamp,
}

/// Contexts whose events are kept of shops that were deleted, too: what happened to the shop itself, and what staff did.
pub const KEPT: [Context; 2] = [Context::Tenants, Context::Audit];

impl Known {
    /// Whether an event is of a shop that was deleted, and not what is kept of it.
    fn is_of_no_use(&self, event: &Event) -> bool {
        self.deleted.contains(&event.envelope.tenant) && !KEPT.contains(&event.envelope.context)
    }

    /// Takes an event; gives whether it is new, or why it can't be applied.
    fn take(&mut self, event: &Event) -> Result<bool, (String, Option<Gap>)> {
        let envelope = &event.envelope;
        let key = (envelope.tenant, envelope.context, envelope.aggregate_id);
        self.pass(key, event);
        let after = self.rows.get(&key).map_or(0, |row| row.version);
        if after >= envelope.version {
            return Ok(false);
        }
        if after + 1 < envelope.version {
            let (tenant, context, aggregate) = key;
            let gap = Gap { tenant, context, aggregate, after, before: envelope.version };
            return Err((format!("version {} of its aggregate was never seen here", after + 1), Some(gap)));
        }
        let part = part(self.rows.get(&key), event).map_err(|reason| (reason, None))?;
        self.rows.insert(key, part.row(event));
        self.changed.insert(key);
        Ok(true)
    }

    /// Goes past what was discarded before an event, and past the event if it was.
    fn pass(&mut self, key: Key, event: &Event) {
        let Some(discarded) = self.discarded.get(&key) else { return };
        loop {
            let next = self.rows.get(&key).map_or(0, |row| row.version) + 1;
            let Some(gone) = discarded.get(&next) else { return };
            // A write side that was restored may have given the version to another event.
            if next > event.envelope.version || (next == event.envelope.version && gone.event != event.envelope.id.0) {
                return;
            }
            let row = self.rows.entry(key).or_insert_with(|| Source {
                aggregate: gone.aggregate.clone(),
                product_id: None,
                version: 0,
                deleted: true,
                body: "{}".to_owned(),
                event_time: gone.time,
            });
            (row.version, row.event_time) = (next, gone.time);
            self.changed.insert(key);
        }
    }

    fn changed(mut self) -> Vec<(Key, Source)> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().filter_map(|key| Some((key, self.rows.remove(&key)?))).collect()
    }
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
        return Ok(Part { product_id, deleted: false, body: stock_body(row, inventory, event.envelope.version)? });
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
    let known = || -> Result<CatalogPart, String> {
        read(&row.filter(|row| !row.deleted).ok_or("the product this event is about was never seen here")?.body)
    };
    match event {
        CatalogEvent::ProductCreated(event) => {
            let (content, schedule) = (event.content.clone(), Schedule::default());
            write(&CatalogPart { status: Status::Draft, content, schedule })
        }
        CatalogEvent::ProductChanged(event) => write(&CatalogPart { content: event.content.clone(), ..known()? }),
        CatalogEvent::ProductPublished(_) => write(&CatalogPart { status: Status::Published, ..known()? }),
        CatalogEvent::ProductArchived(_) => write(&CatalogPart { status: Status::Archived, ..known()? }),
        CatalogEvent::ProductScheduled(event) => write(&CatalogPart { schedule: event.schedule, ..known()? }),
        CatalogEvent::CategoryCreated(event) | CatalogEvent::CategoryChanged(event) => write(&event.content),
        CatalogEvent::ProductDeleted(_) | CatalogEvent::CategoryDeleted(_) => Ok("{}".to_owned()),
    }
}

fn stock_body(row: Option<&Source>, event: &InventoryEvent, version: u64) -> Result<String, String> {
    let mut part: StockPart = row.map(|row| read(&row.body)).transpose()?.unwrap_or_default();
    part.apply(event, version);
    write(&part)
}

fn read<T: DeserializeOwned>(body: &str) -> Result<T, String> {
    serde_json::from_str(body).map_err(|error| format!("the stored part can't be read: {error}"))
}

fn write<T: Serialize>(body: &T) -> Result<String, String> {
    serde_json::to_string(body).map_err(|error| format!("the part can't be stored: {error}"))
}

async fn load(connection: &mut PgConnection, events: &[Event]) -> Result<Known, sqlx::Error> {
    let keys: HashSet<Key> =
        events.iter().map(|e| (e.envelope.tenant, e.envelope.context, e.envelope.aggregate_id)).collect();
    let rows = sqlx::query(
        "SELECT k.t, k.c, k.a, s.aggregate, s.product_id, s.version, s.deleted, s.body, s.event_time, gone.id IS NOT NULL AS shop_is_gone,
                d.version AS gone, d.aggregate AS gone_aggregate, d.event_id AS gone_event, d.event_time AS gone_time
         FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS k(t, c, a)
         LEFT JOIN sources AS s ON s.tenant_id = k.t AND s.context = k.c AND s.aggregate_id = k.a
         LEFT JOIN discarded_events AS d ON d.tenant_id = k.t AND d.context = k.c AND d.aggregate_id = k.a
         LEFT JOIN tenants AS gone ON gone.id = k.t AND gone.deleted
         WHERE s.version IS NOT NULL OR d.version IS NOT NULL OR gone.id IS NOT NULL",
    )
    .bind(keys.iter().map(|(tenant, _, _)| tenant.uuid()).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, context, _)| context.name()).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, _, id)| *id).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let mut known = Known::default();
    for row in rows {
        let context: String = row.try_get("c")?;
        let context = context.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        let key = (TenantId(row.try_get("t")?), context, row.try_get("a")?);
        if row.try_get("shop_is_gone")? {
            known.deleted.insert(key.0);
        }
        if let Some(version) = row.try_get::<Option<i64>, _>("version")? {
            known.rows.insert(key, source(&row, version)?);
        }
        if let Some(version) = row.try_get::<Option<i64>, _>("gone")? {
            let gone = Discarded {
                aggregate: row.try_get("gone_aggregate")?,
                event: row.try_get("gone_event")?,
                time: row.try_get("gone_time")?,
            };
            known.discarded.entry(key).or_default().insert(stored::read_version(version), gone);
        }
    }
    Ok(known)
}

fn source(row: &PgRow, version: i64) -> Result<Source, sqlx::Error> {
    Ok(Source {
        aggregate: row.try_get("aggregate")?,
        product_id: row.try_get("product_id")?,
        version: stored::read_version(version),
        deleted: row.try_get("deleted")?,
        body: row.try_get("body")?,
        event_time: row.try_get("event_time")?,
    })
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
    .bind(rows.iter().map(|(_, row)| stored::version(row.version)).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| row.deleted).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| row.body.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| row.event_time).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
