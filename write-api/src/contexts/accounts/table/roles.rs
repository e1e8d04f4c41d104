//! Roles that a shop has defined, and what somebody may do by them.

use super::super::domain::Role;
use crate::pipeline::Failure;
use schemas::{Uuid, ids::TenantId, permission::Permission};
use sqlx::PgExecutor;

/// The roles of a shop, by slug.
pub(in super::super) async fn all(executor: impl PgExecutor<'_>, tenant: TenantId) -> Result<Vec<Role>, Failure> {
    let states: Vec<String> = sqlx::query_scalar(
        "SELECT state FROM accounts.roles WHERE tenant_id = $1 AND NOT is_gone ORDER BY slug LIMIT 1000",
    )
    .bind(tenant.uuid())
    .fetch_all(executor)
    .await?;
    let read = |state: String| serde_json::from_str(&state);
    let roles: Result<_, serde_json::Error> = states.into_iter().map(read).collect();
    roles.map_err(|error| Failure::Unreadable("role", error.to_string()))
}

/// The permissions of those of these roles that the shop has.
pub(in super::super) async fn permissions(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    roles: &[Uuid],
) -> Result<Vec<Permission>, Failure> {
    let states: Vec<String> = sqlx::query_scalar(
        "SELECT state FROM accounts.roles WHERE tenant_id = $1 AND role_id = ANY($2) AND NOT is_gone",
    )
    .bind(tenant.uuid())
    .bind(roles)
    .fetch_all(executor)
    .await?;
    let mut permissions = Vec::new();
    for state in states {
        let role: Role =
            serde_json::from_str(&state).map_err(|error| Failure::Unreadable("role", error.to_string()))?;
        // Those of a release that knows more of them are not granted here.
        permissions.extend(role.permissions.iter().filter_map(|name| name.parse::<Permission>().ok()));
    }
    Ok(permissions)
}
