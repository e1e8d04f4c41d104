//! Slugs and ids of tenants, from the tenants view.

use moka::future::Cache;
use schemas::{Uuid, ids::TenantId};
use sqlx::PgPool;
use std::time::Duration;

/// A tenant that was found stays found: ids and slugs are never given anew.
const TIME_TO_LIVE: Duration = Duration::from_secs(60);

/// Looks tenants up.
#[derive(Debug, Clone)]
pub struct Tenants {
    pool: PgPool,
    by_slug: Cache<String, TenantId>,
    by_id: Cache<TenantId, ()>,
}

impl Tenants {
    /// Over the read database.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        let (by_slug, by_id) = (
            Cache::builder().max_capacity(10_000).time_to_live(TIME_TO_LIVE),
            Cache::builder().max_capacity(10_000).time_to_live(TIME_TO_LIVE),
        );
        Self { pool, by_slug: by_slug.build(), by_id: by_id.build() }
    }

    /// The tenant of a slug.
    ///
    /// # Errors
    /// The database's.
    pub async fn by_slug(&self, slug: &str) -> Result<Option<TenantId>, sqlx::Error> {
        if let Some(known) = self.by_slug.get(slug).await {
            return Ok(Some(known));
        }
        let id: Option<Uuid> = sqlx::query_scalar("SELECT id FROM tenants WHERE slug = $1 ORDER BY id LIMIT 1")
            .bind(slug)
            .fetch_optional(&self.pool)
            .await?;
        let Some(id) = id.map(TenantId) else { return Ok(None) };
        self.by_slug.insert(slug.to_owned(), id).await;
        Ok(Some(id))
    }

    /// Whether there is a tenant of that id.
    ///
    /// # Errors
    /// The database's.
    pub async fn exists(&self, id: TenantId) -> Result<bool, sqlx::Error> {
        if self.by_id.get(&id).await.is_some() {
            return Ok(true);
        }
        let found: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM tenants WHERE id = $1)")
            .bind(id.uuid())
            .fetch_one(&self.pool)
            .await?;
        if found {
            self.by_id.insert(id, ()).await;
        }
        Ok(found)
    }
}
