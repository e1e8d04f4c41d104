//! Slugs and ids of tenants, from the tenants view.

use crate::{problem::Refusal, renewed::Renewed};
use access::shop::{self, FoundTenant, TenantName};
use schemas::{Uuid, events::tenants::Quotas, ids::TenantId};
use sqlx::{PgPool, types::Json};
use std::{sync::Arc, time::Duration};

/// How often a tenant is looked up again: so long may one that was suspended still be read.
const EVERY: Duration = Duration::from_secs(2);
/// Tenants that are remembered.
const TENANTS: u64 = 10_000;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    suspended: Option<String>,
    origins: Vec<String>,
    quotas: Json<Quotas>,
}

impl From<Row> for FoundTenant {
    fn from(row: Row) -> Self {
        let Row { id, suspended, origins, quotas: Json(quotas) } = row;
        // What it has is measured on the write side.
        Self { id: TenantId(id), suspended: suspended.map(Arc::from), origins: origins.into(), quotas, usage: None }
    }
}

/// Looks tenants up.
#[derive(Debug, Clone)]
pub struct Tenants {
    pool: PgPool,
    by_slug: Renewed<String, FoundTenant>,
    by_id: Renewed<TenantId, FoundTenant>,
}

impl Tenants {
    /// Over the read database.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool, by_slug: Renewed::new(TENANTS, EVERY), by_id: Renewed::new(TENANTS, EVERY) }
    }
}

impl shop::Tenants for Tenants {
    type Error = Refusal;

    async fn find(&self, name: &TenantName) -> Result<Option<FoundTenant>, Refusal> {
        let pool = || self.pool.clone();
        Ok(match name {
            TenantName::Slug(slug) => self.by_slug.get(slug, || read_slug(pool(), slug.clone())).await?,
            TenantName::Id(id) => self.by_id.get(id, || read_id(pool(), *id)).await?,
        })
    }
}

async fn read_slug(pool: PgPool, slug: String) -> Result<Option<FoundTenant>, sqlx::Error> {
    let found: Option<Row> = sqlx::query_as(
        "SELECT id, suspended, origins, quotas FROM tenants WHERE slug = $1 AND NOT deleted ORDER BY id LIMIT 1",
    )
    .bind(slug)
    .fetch_optional(&pool)
    .await?;
    Ok(found.map(FoundTenant::from))
}

async fn read_id(pool: PgPool, id: TenantId) -> Result<Option<FoundTenant>, sqlx::Error> {
    let found: Option<Row> =
        sqlx::query_as("SELECT id, suspended, origins, quotas FROM tenants WHERE id = $1 AND NOT deleted")
            .bind(id.uuid())
            .fetch_optional(&pool)
            .await?;
    Ok(found.map(FoundTenant::from))
}
