//! What other contexts may know of tenants: which there are, and which are suspended.

use super::table;
use crate::pipeline::{Failure, database::Database};
use access::shop::{FoundTenant, TenantName};
use schemas::ids::TenantId;
use std::time::Duration;

/// How long a tenant that was found is not looked up again: so long may one that was suspended still write.
const KEPT: Duration = Duration::from_secs(2);

/// Tenants found before.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    known: moka::future::Cache<TenantName, FoundTenant>,
}

impl Default for Directory {
    fn default() -> Self {
        Self { known: moka::future::Cache::builder().max_capacity(10_000).time_to_live(KEPT).build() }
    }
}

impl Directory {
    /// A tenant, if it is there.
    pub(crate) async fn find(&self, database: &Database, name: &TenantName) -> Result<Option<FoundTenant>, Failure> {
        if let Some(found) = self.known.get(name).await {
            return Ok(Some(found));
        }
        let found = table::find(&mut *database.of_installation().await?, name).await?;
        if let Some(found) = found.clone() {
            self.known.insert(name.clone(), found).await;
        }
        Ok(found)
    }

    /// Looks a tenant up again at once, which was changed here: others learn of it within seconds.
    pub(super) async fn forget(&self, slug: &str, id: TenantId) {
        self.known.invalidate(&TenantName::Slug(slug.to_owned())).await;
        self.known.invalidate(&TenantName::Id(id)).await;
    }
}

/// What a tenant is called, for people.
pub(crate) async fn name_of(database: &Database, tenant: TenantId) -> Result<Option<String>, Failure> {
    let name = sqlx::query_scalar("SELECT name FROM tenants.tenants WHERE tenant_id = $1");
    Ok(name.bind(tenant.uuid()).fetch_optional(&mut *database.of_shop(tenant).await?).await?)
}
