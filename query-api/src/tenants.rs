//! Slugs and ids of tenants, from the tenants view.

use crate::renewed::Renewed;
use schemas::{Uuid, ids::TenantId};
use sqlx::PgPool;
use std::time::Duration;

/// How often a tenant is looked up again.
const EVERY: Duration = Duration::from_secs(60);
/// Tenants that are remembered.
const TENANTS: u64 = 10_000;

/// Looks tenants up.
#[derive(Debug, Clone)]
pub struct Tenants {
    pool: PgPool,
    by_slug: Renewed<String, TenantId>,
    by_id: Renewed<TenantId, ()>,
}

impl Tenants {
    /// Over the read database.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool, by_slug: Renewed::new(TENANTS, EVERY), by_id: Renewed::new(TENANTS, EVERY) }
    }

    /// The tenant of a slug.
    ///
    /// # Errors
    /// The database's.
    pub async fn by_slug(&self, slug: &str) -> Result<Option<TenantId>, sqlx::Error> {
        let slug = slug.to_owned();
        self.by_slug.get(&slug, || read_slug(self.pool.clone(), slug.clone())).await
    }

    /// Whether there is a tenant of that id.
    ///
    /// # Errors
    /// The database's.
    pub async fn exists(&self, id: TenantId) -> Result<bool, sqlx::Error> {
        Ok(self.by_id.get(&id, || read_id(self.pool.clone(), id)).await?.is_some())
    }
}

async fn read_slug(pool: PgPool, slug: String) -> Result<Option<TenantId>, sqlx::Error> {
    let found: Option<Uuid> = sqlx::query_scalar("SELECT id FROM tenants WHERE slug = $1 ORDER BY id LIMIT 1")
        .bind(slug)
        .fetch_optional(&pool)
        .await?;
    Ok(found.map(TenantId))
}

async fn read_id(pool: PgPool, id: TenantId) -> Result<Option<()>, sqlx::Error> {
    let found: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM tenants WHERE id = $1)")
        .bind(id.uuid())
        .fetch_one(&pool)
        .await?;
    Ok(found.then_some(()))
}
