//! Versions that never came, though later ones did: a broker that lost what it had acknowledged, or a record that it never
//! took. The outbox has them, and so they are told in their place.

use crate::{outboxes::Outboxes, projections::sources::Gap, relay, stored};
use eventlog::Record;
use schemas::Uuid;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::BTreeMap;

/// Versions that are taken at a time; the rest is found missing again.
const MOST: i64 = 1_000;
/// The partition of what never got one; the offset is the row's number in the outbox.
const NOWHERE: i32 = -1;

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(String, i32, i64);

impl Place {
    /// Of a record.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        Self(record.topic.clone(), record.partition, record.offset)
    }
}

/// A gap, and the record before which it was found.
#[derive(Debug, Clone)]
pub struct FoundGap {
    /// The record.
    pub at: Place,
    /// The gap.
    pub gap: Gap,
}

/// The batch with what is missing in it, as far as the outboxes have it, each before the record that came too early.
///
/// # Errors
/// The write database's.
pub async fn fill(outboxes: &Outboxes, batch: &[Record], gaps: &[FoundGap]) -> Result<Vec<Record>, sqlx::Error> {
    let mut worker = outboxes.workers.take().await?;
    let mut missing: BTreeMap<&Place, Vec<Record>> = BTreeMap::new();
    for found in gaps {
        let records = recorded(&mut worker.connection, &found.gap, &found.at.0).await?;
        tracing::warn!(
            context = found.gap.context.name(), aggregate.id = %found.gap.aggregate, after = found.gap.after,
            before = found.gap.before, found = records.len(), "versions are missing in the log and taken from the outbox"
        );
        missing.insert(&found.at, records);
    }
    outboxes.workers.back(worker);
    let with_missing = |record: &Record| {
        let before = missing.remove(&Place::of(record)).unwrap_or_default();
        before.into_iter().chain([record.clone()])
    };
    Ok(batch.iter().flat_map(with_missing).collect())
}

/// The missing versions as the outbox has them.
async fn recorded(connection: &mut PgConnection, gap: &Gap, topic: &str) -> Result<Vec<Record>, sqlx::Error> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {} FROM {}.outbox WHERE tenant_id = $1 AND aggregate_id = $2 AND version > $3 AND version < $4
         ORDER BY version LIMIT {MOST}",
        relay::waiting::COLUMNS,
        gap.context
    )))
    .bind(gap.tenant.uuid())
    .bind(gap.aggregate)
    .bind(stored::version(gap.after))
    .bind(stored::version(gap.before))
    .fetch_all(connection)
    .await?;
    let record = |row| -> Result<Record, sqlx::Error> {
        let row: &sqlx::postgres::PgRow = row;
        let envelope = relay::envelope(row, gap.context)?;
        let key = schemas::topics::partition_key(envelope.tenant, row.try_get::<Uuid, _>("partition_id")?);
        let payload: String = row.try_get("payload")?;
        let headers = envelope.to_headers().into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes()));
        Ok(Record {
            topic: topic.to_owned(),
            partition: NOWHERE,
            offset: row.try_get("id")?,
            key,
            payload: Some(payload.into_bytes()),
            headers: headers.collect(),
        })
    };
    rows.iter().map(record).collect()
}
