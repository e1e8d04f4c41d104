//! The table of tenants.

use super::{Batch, Failure, Row, Scope, Stored, read_version};
use crate::domain::tenants::Tenant;
use schemas::{Uuid, ids::TenantId};
use sqlx::{PgConnection, PgPool};

impl Stored for Tenant {
    const NAME: &'static str = "tenant";

    async fn insert(conn: &mut PgConnection, _: &Scope, rows: &[Row<'_, Self>]) -> Result<(), Failure> {
        for row in rows {
            sqlx::query("INSERT INTO tenants.tenants (tenant_id, version, slug, name) VALUES ($1, $2, $3, $4)")
                .bind(row.id)
                .bind(row.version)
                .bind(&row.state.slug)
                .bind(&row.state.name)
                .execute(&mut *conn)
                .await?;
        }
        Ok(())
    }

    /// No event changes a tenant.
    async fn update(_: &mut PgConnection, _: &Scope, _: &[Row<'_, Self>]) -> Result<u64, Failure> {
        Ok(0)
    }

    /// No event removes a tenant.
    async fn delete(_: &mut PgConnection, _: &Scope, _: &[(Uuid, i64)]) -> Result<u64, Failure> {
        Ok(0)
    }
}

/// The tenant of a slug, if there is one.
pub(crate) async fn load(conn: &mut PgConnection, slug: &str) -> Result<Batch<Tenant>, Failure> {
    let row: Option<(Uuid, i64, String, String)> =
        sqlx::query_as("SELECT tenant_id, version, slug, name FROM tenants.tenants WHERE slug = $1")
            .bind(slug)
            .fetch_optional(conn)
            .await?;
    let mut batch = Batch::default();
    if let Some((id, version, slug, name)) = row {
        batch.insert(id, read_version(version), Tenant { id: TenantId(id), slug, name });
    }
    Ok(batch)
}

/// The id of the tenant of that slug or id.
pub(crate) async fn find(pool: &PgPool, slug: Option<&str>, id: Option<Uuid>) -> Result<Option<TenantId>, Failure> {
    let found: Option<Uuid> =
        sqlx::query_scalar("SELECT tenant_id FROM tenants.tenants WHERE slug = $1 OR tenant_id = $2")
            .bind(slug)
            .bind(id)
            .fetch_optional(pool)
            .await?;
    Ok(found.map(TenantId))
}
