//! The tenants view: slug and name by id, why one is suspended, which pages may read its answers, and how much it may have. Of
//! one that was deleted there is the id alone, by which its other events are known to be of no use.

use crate::{
    projection::{Projection, Versioned, ViewTable},
    stored,
};
use eventlog::Event;
use schemas::{
    Timestamp,
    events::{
        DomainEvent, TenantsEvent,
        tenants::{Quotas, TenantCreated, TenantOriginsSet},
    },
    topics::Context,
};
use sqlx::{PgConnection, types::Json};

/// The shops on this installation.
#[derive(Debug)]
pub struct Tenants;

impl Projection for Tenants {
    const NAME: &'static str = "tenants";
    const READS: &'static [Context] = &[Context::Tenants];
    // How far the end of a shop has come may differ.
    const TABLES: &'static [ViewTable] =
        &[ViewTable { tenant: "id", equal: "(to_jsonb(r) - 'swept_by')::text", ..ViewTable::whole("tenants", "id") }];
    const VERSIONED: Option<Versioned> =
        Some(Versioned { name: "tenants", joined_by: "tenants v ON v.id = k.a", name_of: None });

    async fn apply(connection: &mut PgConnection, events: &[&Event], _: Timestamp) -> Result<(), sqlx::Error> {
        for event in events {
            let DomainEvent::Tenants(tenants) = &event.event else { continue };
            match tenants {
                TenantsEvent::Created(created) => create(connection, event, created).await?,
                TenantsEvent::Suspended(suspended) => suspend(connection, event, Some(&suspended.reason)).await?,
                TenantsEvent::Resumed(_) => suspend(connection, event, None).await?,
                TenantsEvent::OriginsSet(set) => set_origins(connection, event, set).await?,
                TenantsEvent::QuotasSet(set) => set_quotas(connection, event, set.quotas).await?,
                TenantsEvent::Deleted(_) => delete(connection, event).await?,
            }
        }
        Ok(())
    }
}

async fn create(connection: &mut PgConnection, event: &Event, tenant: &TenantCreated) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO tenants (id, slug, name, version) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, name = excluded.name, version = excluded.version
         WHERE tenants.version < excluded.version",
    )
    .bind(tenant.tenant_id.uuid())
    .bind(&tenant.slug)
    .bind(&tenant.name)
    .bind(stored::version(event.envelope.version))
    .execute(connection)
    .await?;
    Ok(())
}

async fn suspend(connection: &mut PgConnection, event: &Event, reason: Option<&str>) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE tenants SET suspended = $2, version = $3 WHERE id = $1 AND version < $3")
        .bind(event.envelope.aggregate_id)
        .bind(reason)
        .bind(stored::version(event.envelope.version))
        .execute(connection)
        .await?;
    Ok(())
}

async fn set_origins(connection: &mut PgConnection, event: &Event, set: &TenantOriginsSet) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE tenants SET origins = $2, version = $3 WHERE id = $1 AND version < $3")
        .bind(event.envelope.aggregate_id)
        .bind(&set.origins)
        .bind(stored::version(event.envelope.version))
        .execute(connection)
        .await?;
    Ok(())
}

async fn set_quotas(connection: &mut PgConnection, event: &Event, quotas: Quotas) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE tenants SET quotas = $2, version = $3 WHERE id = $1 AND version < $3")
        .bind(event.envelope.aggregate_id)
        .bind(Json(quotas))
        .bind(stored::version(event.envelope.version))
        .execute(connection)
        .await?;
    Ok(())
}

/// The rest of it goes in steps, by whoever does the scheduled work of each feed.
async fn delete(connection: &mut PgConnection, event: &Event) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE tenants SET slug = '', name = '', suspended = NULL, origins = '{}', quotas = '{}', deleted = true, version = $2
         WHERE id = $1 AND version < $2",
    )
    .bind(event.envelope.aggregate_id)
    .bind(stored::version(event.envelope.version))
    .execute(connection)
    .await?;
    Ok(())
}
