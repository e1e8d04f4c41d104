//! The table of tenants, the only one that belongs to no tenant, and what is known of each beside it.

use super::domain::Tenant;
use crate::pipeline::{Column, Failure, Row, Scope, Table, TableSpec};
use access::shop::{FoundTenant, TenantName, Usage};
use schemas::{Timestamp, Uuid, ids::TenantId};
use sqlx::{PgConnection, PgExecutor};
use std::sync::Arc;

impl Table for Tenant {
    const SPEC: TableSpec = TableSpec {
        name: "tenants",
        id: "tenant_id",
        of_tenant: false,
        columns: &[
            Column::Text("slug", "text"),
            Column::Text("name", "text"),
            Column::Text("suspended", "text"),
            Column::Json("origins"),
            Column::Json("quotas"),
            Column::Plain("deleted", "bool"),
        ],
    };

    /// From here on the job may take the data of a deleted shop, and nobody else's.
    async fn write_parts(conn: &mut PgConnection, _: &Scope, rows: &[Row<'_, Self>]) -> Result<(), Failure> {
        let deleted: Vec<Uuid> = rows.iter().filter(|row| row.state.deleted).map(|row| row.id).collect();
        if !deleted.is_empty() {
            sqlx::query("INSERT INTO tenants.deleted (tenant_id) SELECT unnest($1::uuid[])")
                .bind(deleted)
                .execute(conn)
                .await?;
        }
        Ok(())
    }
}

/// What a shop is called, as parameters of which one is none.
fn either(name: &TenantName) -> (Option<&str>, Option<Uuid>) {
    match name {
        TenantName::Slug(slug) => (Some(slug), None),
        TenantName::Id(id) => (None, Some(id.uuid())),
    }
}

/// The id of the tenant of that name, also of one that was deleted and has the name still.
pub(super) async fn id_of(executor: impl PgExecutor<'_>, name: &TenantName) -> Result<Option<TenantId>, Failure> {
    let (slug, id) = either(name);
    let found = sqlx::query_scalar("SELECT tenant_id FROM tenants.tenants WHERE slug = $1 OR tenant_id = $2")
        .bind(slug)
        .bind(id)
        .fetch_optional(executor)
        .await?;
    Ok(found.map(TenantId))
}

#[derive(sqlx::FromRow)]
struct Found {
    tenant_id: Uuid,
    suspended: Option<String>,
    origins: String,
    quotas: String,
    products: Option<i64>,
    bytes: Option<i64>,
    measured_at: Option<Timestamp>,
}

/// The tenant of that name, unless it was deleted.
pub(super) async fn find(executor: impl PgExecutor<'_>, name: &TenantName) -> Result<Option<FoundTenant>, Failure> {
    let (slug, id) = either(name);
    let found: Option<Found> = sqlx::query_as(
        "SELECT t.tenant_id, t.suspended, t.origins, t.quotas, u.products, u.bytes, u.measured_at \
         FROM tenants.tenants AS t LEFT JOIN tenants.usage AS u ON u.tenant_id = t.tenant_id \
         WHERE (t.slug = $1 OR t.tenant_id = $2) AND NOT t.deleted",
    )
    .bind(slug)
    .bind(id)
    .fetch_optional(executor)
    .await?;
    let Some(found) = found else { return Ok(None) };
    let unreadable = |what| move |error: serde_json::Error| Failure::Unreadable(what, error.to_string());
    let origins: Vec<String> = serde_json::from_str(&found.origins).map_err(unreadable("origins of a tenant"))?;
    let usage = found.measured_at.map(|measured_at| Usage {
        products: found.products.unwrap_or_default().unsigned_abs(),
        bytes: found.bytes.unwrap_or_default().unsigned_abs(),
        measured_at,
    });
    Ok(Some(FoundTenant {
        id: TenantId(found.tenant_id),
        suspended: found.suspended.map(Arc::from),
        origins: origins.into(),
        quotas: serde_json::from_str(&found.quotas).map_err(unreadable("quotas of a tenant"))?,
        usage,
    }))
}
