//! What other contexts may know of tenants: which there are.

use super::table;
use crate::pipeline::Failure;
use schemas::{Uuid, ids::TenantId};
use sqlx::PgPool;
use std::time::Duration;

/// How a request names its tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum TenantName {
    Slug(String),
    Id(Uuid),
}

/// Tenants found before. They are never deleted or renamed, so only those that are there are kept.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    known: moka::future::Cache<TenantName, TenantId>,
}

impl Default for Directory {
    fn default() -> Self {
        let hour = Duration::from_secs(3_600);
        Self { known: moka::future::Cache::builder().max_capacity(10_000).time_to_live(hour).build() }
    }
}

impl Directory {
    /// The id of a tenant, if it is there.
    pub(crate) async fn find(&self, pool: &PgPool, name: TenantName) -> Result<Option<TenantId>, Failure> {
        if let Some(id) = self.known.get(&name).await {
            return Ok(Some(id));
        }
        let found = match &name {
            TenantName::Slug(slug) => table::find(pool, Some(slug), None).await?,
            TenantName::Id(id) => table::find(pool, None, Some(*id)).await?,
        };
        if let Some(id) = found {
            self.known.insert(name, id).await;
        }
        Ok(found)
    }
}
