//! The table of tenants, the only one that belongs to no tenant.

use super::domain::Tenant;
use crate::pipeline::{Column, Failure, Table, TableSpec};
use access::shop::{FoundTenant, TenantName};
use schemas::{Uuid, ids::TenantId};
use sqlx::PgExecutor;
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
        ],
    };
}

/// The tenant of that name.
pub(super) async fn find(executor: impl PgExecutor<'_>, name: &TenantName) -> Result<Option<FoundTenant>, Failure> {
    let (slug, id) = match name {
        TenantName::Slug(slug) => (Some(slug), None),
        TenantName::Id(id) => (None, Some(id.uuid())),
    };
    let found: Option<(Uuid, Option<String>, String)> =
        sqlx::query_as("SELECT tenant_id, suspended, origins FROM tenants.tenants WHERE slug = $1 OR tenant_id = $2")
            .bind(slug)
            .bind(id)
            .fetch_optional(executor)
            .await?;
    let Some((id, suspended, origins)) = found else { return Ok(None) };
    let origins: Vec<String> = serde_json::from_str(&origins)
        .map_err(|error| Failure::Unreadable("origins of a tenant", error.to_string()))?;
    Ok(Some(FoundTenant { id: TenantId(id), suspended: suspended.map(Arc::from), origins: origins.into() }))
}
