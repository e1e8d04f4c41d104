//! The keys of each shop, by which query-api finds out who calls. Versions decide what is kept, and what was revoked stays
//! as a row, so that no older event brings it back.

use crate::{
    projection::{Projection, Versioned, ViewTable},
    stored,
};
use eventlog::Event;
use schemas::{
    NaiveDate, Timestamp,
    events::{AccessEvent, DomainEvent, access::KeyCreated},
    topics::Context,
};
use sqlx::PgConnection;

/// Keys.
#[derive(Debug)]
pub struct Keys;

impl Projection for Keys {
    const NAME: &'static str = "keys";
    const READS: &'static [Context] = &[Context::Access];
    const TABLES: &'static [ViewTable] = &[ViewTable::whole("keys", "tenant_id, key_id")];
    const VERSIONED: Option<Versioned> =
        Some(Versioned { name: "keys", joined_by: "keys v ON v.tenant_id = k.t AND v.key_id = k.a", name_of: None });

    async fn apply(connection: &mut PgConnection, events: &[&Event], _: Timestamp) -> Result<(), sqlx::Error> {
        for event in events {
            let DomainEvent::Access(access) = &event.event else { continue };
            match access {
                AccessEvent::KeyCreated(created) => create(connection, event, created).await?,
                AccessEvent::KeyUsed(used) => note_used(connection, event, used.day).await?,
                AccessEvent::KeyRevoked(_) => revoke(connection, event).await?,
            }
        }
        Ok(())
    }
}

async fn create(connection: &mut PgConnection, event: &Event, created: &KeyCreated) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO keys (tenant_id, key_id, version, name, kind, permissions, hint, digest, signing_key, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (tenant_id, key_id) DO NOTHING",
    )
    .bind(event.envelope.tenant.uuid())
    .bind(event.envelope.aggregate_id)
    .bind(stored::version(event.envelope.version))
    .bind(&created.name)
    .bind(created.kind.as_str())
    .bind(&created.permissions)
    .bind(&created.hint)
    .bind(&created.digest)
    .bind(&created.signing_key)
    .bind(event.envelope.time)
    .bind(created.expires_at)
    .execute(connection)
    .await?;
    Ok(())
}

async fn note_used(connection: &mut PgConnection, event: &Event, day: NaiveDate) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE keys SET version = $3, last_used = $4 WHERE tenant_id = $1 AND key_id = $2 AND version < $3")
        .bind(event.envelope.tenant.uuid())
        .bind(event.envelope.aggregate_id)
        .bind(stored::version(event.envelope.version))
        .bind(day)
        .execute(connection)
        .await?;
    Ok(())
}

async fn revoke(connection: &mut PgConnection, event: &Event) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE keys SET version = $3, revoked_at = $4 WHERE tenant_id = $1 AND key_id = $2 AND version < $3")
        .bind(event.envelope.tenant.uuid())
        .bind(event.envelope.aggregate_id)
        .bind(stored::version(event.envelope.version))
        .bind(event.envelope.time)
        .execute(connection)
        .await?;
    Ok(())
}
