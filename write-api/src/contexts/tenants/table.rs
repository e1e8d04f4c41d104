//! The table of tenants, the only one that belongs to no tenant.

use super::domain::Tenant;
use crate::pipeline::{Column, Failure, Table, TableSpec};
use schemas::{Uuid, ids::TenantId};
use sqlx::PgExecutor;

impl Table for Tenant {
    const SPEC: TableSpec = TableSpec {
        name: "tenants",
        id: "tenant_id",
        of_tenant: false,
        columns: &[Column::Text("slug", "text"), Column::Text("name", "text"), Column::Text("suspended", "text")],
    };
}

/// The tenant of that slug or id: its id, and why it is suspended if it is.
pub(super) async fn find(
    executor: impl PgExecutor<'_>,
    slug: Option<&str>,
    id: Option<Uuid>,
) -> Result<Option<(TenantId, Option<String>)>, Failure> {
    let found: Option<(Uuid, Option<String>)> =
        sqlx::query_as("SELECT tenant_id, suspended FROM tenants.tenants WHERE slug = $1 OR tenant_id = $2")
            .bind(slug)
            .bind(id)
            .fetch_optional(executor)
            .await?;
    Ok(found.map(|(id, suspended)| (TenantId(id), suspended)))
}
