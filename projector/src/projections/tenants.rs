//! The tenants view: slug and name by id.

use crate::projection::{Projection, Versioned, ViewTable};
use eventlog::Event;
use schemas::{
    Timestamp,
    events::{DomainEvent, TenantsEvent},
    topics::Context,
};
use sqlx::PgConnection;

/// The shops on this installation.
#[derive(Debug)]
pub struct Tenants;

impl Projection for Tenants {
    const NAME: &'static str = "tenants";
    const READS: &'static [Context] = &[Context::Tenants];
    const TABLES: &'static [ViewTable] = &[ViewTable { tenant: "id", ..ViewTable::whole("tenants", "id") }];
    const VERSIONED: Option<Versioned> =
        Some(Versioned { name: "tenants", joined_by: "tenants v ON v.id = k.a", name_of: None });

    async fn apply(connection: &mut PgConnection, events: &[&Event], _: Timestamp) -> Result<(), sqlx::Error> {
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
}
