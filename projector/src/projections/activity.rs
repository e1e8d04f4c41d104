//! What staff and administrators did: the audit's entries as they were recorded, with what they are looked up by.

use crate::{
    projection::{Projection, ViewTable},
    stored,
};
use eventlog::Event;
use schemas::{
    Timestamp, Uuid,
    envelope::Envelope,
    events::{AuditEvent, DomainEvent, audit::EntryRecorded},
    topics::Context,
};
use serde_json::Value;
use sqlx::PgConnection;

/// What was done.
#[derive(Debug)]
pub struct Activity;

impl Projection for Activity {
    const NAME: &'static str = "activity";
    const READS: &'static [Context] = &[Context::Audit];
    const TABLES: &'static [ViewTable] = &[ViewTable::whole("activity", "tenant_id, number")];

    async fn apply(connection: &mut PgConnection, events: &[&Event], _: Timestamp) -> Result<(), sqlx::Error> {
        let rows: Vec<Row<'_>> = events.iter().filter_map(|event| Row::of(event)).collect();
        sqlx::query(
            "INSERT INTO activity (tenant_id, number, at, actor, key_id, correlation_id, changed, entry, previous, digest)
             SELECT t, n, a, w, k, c, i::uuid[], e, p, d
             FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::text[],
                         $9::text[], $10::text[]) AS new(t, n, a, w, k, c, i, e, p, d)
             ON CONFLICT (tenant_id, number) DO NOTHING",
        )
        .bind(rows.iter().map(|row| row.envelope.tenant.uuid()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| stored::version(row.envelope.version)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.envelope.time).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.actor.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.key).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.envelope.correlation_id.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.changed.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.recorded.entry.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.recorded.previous.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.recorded.digest.as_str()).collect::<Vec<_>>())
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// An entry with what it is looked up by.
struct Row<'a> {
    envelope: &'a Envelope,
    recorded: &'a EntryRecorded,
    actor: String,
    /// The key or the account by which somebody was known.
    key: Option<Uuid>,
    /// The ids of what was changed, as an array.
    changed: String,
}

impl<'a> Row<'a> {
    /// Reads it as far as it is understood: an entry of a later release is kept as well.
    fn of(event: &'a Event) -> Option<Self> {
        let DomainEvent::Audit(AuditEvent::Recorded(recorded)) = &event.event else { return None };
        let entry: Value = serde_json::from_str(&recorded.entry).unwrap_or_default();
        let id = |value: &Value| value.as_str().and_then(|text| Uuid::parse_str(text).ok());
        let changes = entry["changes"].as_array().into_iter().flatten();
        Some(Self {
            envelope: &event.envelope,
            recorded,
            actor: entry["actor"]["kind"].as_str().unwrap_or("unknown").to_owned(),
            key: id(&entry["actor"]["key"]).or_else(|| id(&entry["actor"]["user"])),
            changed: stored::array(changes.filter_map(|change| id(&change["id"]))),
        })
    }
}
