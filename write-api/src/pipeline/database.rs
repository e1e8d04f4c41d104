//! The write database, as the use cases have it: no statement without saying for whom.
//!
//! PostgreSQL shows a transaction the rows of the shop that it was begun for, and no others (row-level security, see
//! `docs/decisions/0052`). So a statement that forgets its tenant meets nothing of another.

use schemas::ids::TenantId;
use sqlx::{AssertSqlSafe, PgPool, PgTransaction};

/// The write database. There is no way to it that does not say for whom.
#[derive(Debug, Clone)]
pub(crate) struct Database(PgPool);

impl Database {
    pub(crate) const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// A transaction to which the rows of this shop are there, and no others. It takes no round trip more than any other.
    pub(crate) async fn of_shop(&self, tenant: TenantId) -> Result<PgTransaction<'static>, sqlx::Error> {
        // An id is written with hexadecimal digits and hyphens.
        self.0.begin_with(AssertSqlSafe(format!("BEGIN; SET LOCAL souk.tenant = '{tenant}'"))).await
    }

    /// A transaction to which the rows of every shop are there: to find out whose something is, and for what is done for
    /// all of them.
    pub(crate) async fn of_installation(&self) -> Result<PgTransaction<'static>, sqlx::Error> {
        self.0.begin_with("BEGIN; SET LOCAL souk.scope = 'installation'").await
    }
}
