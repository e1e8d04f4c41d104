//! What shops have agreed with providers, when their lists were looked at, and what shoppers have to do there.

use crate::pipeline::{Failure, Scope};
use schemas::{TimeDelta, Timestamp, Uuid, ids::TenantId};
use sqlx::PgExecutor;

/// An account at a provider, with its secrets as they are kept.
pub(in super::super) struct Account {
    pub(in super::super) tenant: TenantId,
    pub(in super::super) sealed: String,
}

fn account((tenant, sealed): (Uuid, String)) -> Account {
    Account { tenant: TenantId(tenant), sealed }
}

/// The account of a shop at a provider.
pub(in super::super) async fn of_name(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    name: &str,
) -> Result<Option<Account>, Failure> {
    let row: Option<(Uuid, String)> = sqlx::query_as(
        "SELECT a.tenant_id, s.sealed FROM payments.provider_accounts AS a
         JOIN payments.provider_secrets AS s ON s.tenant_id = a.tenant_id AND s.account_id = a.account_id
         WHERE a.tenant_id = $1 AND a.name = $2",
    )
    .bind(tenant.uuid())
    .bind(name)
    .fetch_optional(executor)
    .await?;
    Ok(row.map(account))
}

/// An account by its id, whosever it is.
pub(in super::super) async fn of_id(executor: impl PgExecutor<'_>, id: Uuid) -> Result<Option<Account>, Failure> {
    let row: Option<(Uuid, String)> = sqlx::query_as(
        "SELECT a.tenant_id, s.sealed FROM payments.provider_accounts AS a
         JOIN payments.provider_secrets AS s ON s.tenant_id = a.tenant_id AND s.account_id = a.account_id
         WHERE a.account_id = $1",
    )
    .bind(id)
    .fetch_optional(executor)
    .await?;
    Ok(row.map(account))
}

/// Keeps the secrets of an account.
pub(in super::super) async fn keep_secrets(
    executor: impl PgExecutor<'_>,
    scope: &Scope,
    account: Uuid,
    sealed: &str,
) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO payments.provider_secrets (tenant_id, account_id, sealed) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, account_id) DO UPDATE SET sealed = excluded.sealed",
    )
    .bind(scope.tenant.uuid())
    .bind(account)
    .bind(sealed)
    .execute(executor)
    .await?;
    Ok(())
}

/// Has the list of an account looked at from now on.
pub(in super::super) async fn look_at(
    executor: impl PgExecutor<'_>,
    scope: &Scope,
    account: Uuid,
) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO payments.provider_looks (tenant_id, account_id, looked_at) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING",
    )
    .bind(scope.tenant.uuid())
    .bind(account)
    .bind(scope.now)
    .execute(executor)
    .await?;
    Ok(())
}

/// An account whose list was not looked at for some time, if there is one, and when it was: whoever gets it looks now.
pub(in super::super) async fn due_look(
    executor: impl PgExecutor<'_>,
    now: Timestamp,
    every: TimeDelta,
) -> Result<Option<(Uuid, Timestamp)>, Failure> {
    let found = sqlx::query_as(
        "WITH due AS (
           SELECT tenant_id, account_id, looked_at FROM payments.provider_looks WHERE looked_at <= $2
           ORDER BY looked_at LIMIT 1 FOR UPDATE SKIP LOCKED)
         UPDATE payments.provider_looks AS l SET looked_at = $1 FROM due
         WHERE l.tenant_id = due.tenant_id AND l.account_id = due.account_id RETURNING l.account_id, due.looked_at",
    );
    Ok(found.bind(now).bind(now - every).fetch_optional(executor).await?)
}

/// The look at an account has failed: it is due again from when it was before.
pub(in super::super) async fn look_again(
    executor: impl PgExecutor<'_>,
    account: Uuid,
    looked_at: Timestamp,
) -> Result<(), Failure> {
    sqlx::query("UPDATE payments.provider_looks SET looked_at = $2 WHERE account_id = $1")
        .bind(account)
        .bind(looked_at)
        .execute(executor)
        .await?;
    Ok(())
}

/// Keeps what a shopper has to do, instead of what they had to before; what is told late of an attempt before changes nothing.
pub(in super::super) async fn keep_action(
    executor: impl PgExecutor<'_>,
    scope: &Scope,
    payment: Uuid,
    attempt: u32,
    sealed: &str,
) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO payments.actions (tenant_id, payment_id, attempt, sealed) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant_id, payment_id) DO UPDATE SET attempt = excluded.attempt, sealed = excluded.sealed
         WHERE actions.attempt <= excluded.attempt",
    )
    .bind(scope.tenant.uuid())
    .bind(payment)
    .bind(i32::try_from(attempt).unwrap_or(i32::MAX))
    .bind(sealed)
    .execute(executor)
    .await?;
    Ok(())
}

/// Nobody has to do anything for an attempt any more; what another one asks for stays.
pub(in super::super) async fn forget_action(
    executor: impl PgExecutor<'_>,
    scope: &Scope,
    payment: Uuid,
    attempt: u32,
) -> Result<(), Failure> {
    sqlx::query("DELETE FROM payments.actions WHERE tenant_id = $1 AND payment_id = $2 AND attempt = $3")
        .bind(scope.tenant.uuid())
        .bind(payment)
        .bind(i32::try_from(attempt).unwrap_or(i32::MAX))
        .execute(executor)
        .await?;
    Ok(())
}

/// What a shopper has to do, sealed.
pub(in super::super) async fn action(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    payment: Uuid,
    attempt: u32,
) -> Result<Option<String>, Failure> {
    let found = sqlx::query_scalar(
        "SELECT sealed FROM payments.actions WHERE tenant_id = $1 AND payment_id = $2 AND attempt = $3",
    );
    let attempt = i32::try_from(attempt).unwrap_or(i32::MAX);
    Ok(found.bind(tenant.uuid()).bind(payment).bind(attempt).fetch_optional(executor).await?)
}
