//! The secrets that one-time codes are made of, and recovery codes.

use crate::pipeline::Failure;
use schemas::{Uuid, events::accounts::Sealed, ids::TenantId};
use sqlx::{PgConnection, PgExecutor};

/// A second factor, as it is kept.
#[derive(Debug, Clone)]
pub(in super::super) struct SecondFactor {
    /// The secret, sealed with the key of the person.
    pub(in super::super) sealed: Sealed,
    /// Whether a code was shown; before, none is asked for.
    pub(in super::super) is_confirmed: bool,
    /// Digests of the recovery codes that are left.
    pub(in super::super) recovery: Vec<String>,
    /// The last step of 30 seconds whose code was used.
    pub(in super::super) last_step: i64,
}

impl SecondFactor {
    /// That of somebody; it is locked, since a code works once.
    pub(in super::super) async fn load(
        executor: impl PgExecutor<'_>,
        tenant: TenantId,
        user: Uuid,
    ) -> Result<Option<Self>, Failure> {
        let row: Option<(String, bool, Vec<String>, i64)> = sqlx::query_as(
            "SELECT sealed, is_confirmed, recovery, last_step FROM accounts.second_factors
             WHERE tenant_id = $1 AND user_id = $2 FOR UPDATE",
        )
        .bind(tenant.uuid())
        .bind(user)
        .fetch_optional(executor)
        .await?;
        Ok(row.map(|(sealed, is_confirmed, recovery, last_step)| Self {
            sealed: Sealed(sealed),
            is_confirmed,
            recovery,
            last_step,
        }))
    }

    /// Keeps it as it is now.
    pub(in super::super) async fn keep(
        &self,
        executor: impl PgExecutor<'_>,
        tenant: TenantId,
        user: Uuid,
    ) -> Result<(), Failure> {
        sqlx::query(
            "INSERT INTO accounts.second_factors (tenant_id, user_id, sealed, is_confirmed, recovery, last_step)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (tenant_id, user_id) DO UPDATE
             SET sealed = excluded.sealed, is_confirmed = excluded.is_confirmed, recovery = excluded.recovery,
                 last_step = excluded.last_step",
        )
        .bind(tenant.uuid())
        .bind(user)
        .bind(&self.sealed.0)
        .bind(self.is_confirmed)
        .bind(&self.recovery)
        .bind(self.last_step)
        .execute(executor)
        .await?;
        Ok(())
    }

    /// Somebody has none any more.
    pub(in super::super) async fn delete(conn: &mut PgConnection, tenant: TenantId, user: Uuid) -> Result<(), Failure> {
        sqlx::query("DELETE FROM accounts.second_factors WHERE tenant_id = $1 AND user_id = $2")
            .bind(tenant.uuid())
            .bind(user)
            .execute(conn)
            .await?;
        Ok(())
    }
}
