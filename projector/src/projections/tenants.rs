//! The tenants view: slug and name by id.

use eventlog::Event;
use schemas::events::{DomainEvent, TenantsEvent};
use sqlx::PgConnection;

/// Writes the tenants that events speak of; an older version never overwrites a newer one.
///
/// # Errors
/// The database's.
pub async fn project(connection: &mut PgConnection, events: &[Event]) -> Result<(), sqlx::Error> {
    for event in events {
        let DomainEvent::Tenants(TenantsEvent::Created(tenant)) = &event.event else { continue };
        sqlx::query(
            "INSERT INTO tenants (id, slug, name, version) VALUES ($1, $2, $3, $4)
             ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, name = excluded.name, version = excluded.version
             WHERE tenants.version < excluded.version",
        )
        .bind(tenant.tenant_id.uuid())
        .bind(&tenant.slug)
        .bind(&tenant.name)
        .bind(i64::try_from(event.envelope.version).unwrap_or(i64::MAX))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
