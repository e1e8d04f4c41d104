//! Identity providers with their secrets, whom they know, and ways to them that somebody has begun.

use super::super::domain::IdentityProvider;
use crate::pipeline::{Failure, database::Database};
use schemas::{Timestamp, Uuid, events::accounts::IdentityProviderSet, ids::TenantId};
use sqlx::PgExecutor;

/// A provider by which people sign in now, and the secret as it is kept.
pub(in super::super) async fn provider(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    slug: &str,
) -> Result<Option<(IdentityProviderSet, String)>, Failure> {
    let row: Option<(String, String)> = sqlx::query_as(
        "SELECT p.state, s.sealed FROM accounts.identity_providers AS p
         JOIN accounts.identity_provider_secrets AS s ON s.tenant_id = p.tenant_id AND s.provider_id = p.provider_id
         WHERE p.tenant_id = $1 AND p.slug = $2 AND NOT p.is_removed",
    )
    .bind(tenant.uuid())
    .bind(slug)
    .fetch_optional(executor)
    .await?;
    let Some((state, sealed)) = row else { return Ok(None) };
    let provider: IdentityProvider =
        serde_json::from_str(&state).map_err(|error| Failure::Unreadable("identity provider", error.to_string()))?;
    Ok(Some((provider.set, sealed)))
}

/// How many providers a shop has, but for one.
pub(in super::super) async fn other_providers(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    but: Uuid,
) -> Result<i64, Failure> {
    let found = sqlx::query_scalar(
        "SELECT count(*) FROM accounts.identity_providers WHERE tenant_id = $1 AND provider_id <> $2 AND NOT is_removed",
    );
    Ok(found.bind(tenant.uuid()).bind(but).fetch_one(executor).await?)
}

/// Keeps the secret that the shop shares with a provider.
pub(in super::super) async fn keep_provider_secret(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    provider: Uuid,
    sealed: &str,
) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO accounts.identity_provider_secrets (tenant_id, provider_id, sealed) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, provider_id) DO UPDATE SET sealed = excluded.sealed",
    )
    .bind(tenant.uuid())
    .bind(provider)
    .bind(sealed)
    .execute(executor)
    .await?;
    Ok(())
}

/// Deletes the secret that the shop has shared with a provider.
pub(in super::super) async fn forget_provider_secret(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    provider: Uuid,
) -> Result<(), Failure> {
    sqlx::query("DELETE FROM accounts.identity_provider_secrets WHERE tenant_id = $1 AND provider_id = $2")
        .bind(tenant.uuid())
        .bind(provider)
        .execute(executor)
        .await?;
    Ok(())
}

/// Whose account somebody's is whom a provider knows by this digest.
pub(in super::super) async fn user_of_identity(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    provider: &str,
    digest: &str,
) -> Result<Option<Uuid>, Failure> {
    let found = sqlx::query_scalar(
        "SELECT user_id FROM accounts.identities WHERE tenant_id = $1 AND provider = $2 AND digest = $3",
    );
    Ok(found.bind(tenant.uuid()).bind(provider).bind(digest).fetch_optional(executor).await?)
}

/// Gives an account to whom a provider knows by this digest, instead of another there; somebody who was faster is a
/// [`Failure::Conflict`].
pub(in super::super) async fn keep_identity(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    provider: &str,
    digest: &str,
    user: Uuid,
) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO accounts.identities (tenant_id, provider, digest, user_id) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant_id, user_id, provider) DO UPDATE SET digest = excluded.digest",
    )
    .bind(tenant.uuid())
    .bind(provider)
    .bind(digest)
    .bind(user)
    .execute(executor)
    .await?;
    Ok(())
}

/// Nobody signs in to an account by a provider any more.
pub(in super::super) async fn forget_identity(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    provider: &str,
    user: Uuid,
) -> Result<(), Failure> {
    sqlx::query("DELETE FROM accounts.identities WHERE tenant_id = $1 AND provider = $2 AND user_id = $3")
        .bind(tenant.uuid())
        .bind(provider)
        .bind(user)
        .execute(executor)
        .await?;
    Ok(())
}

/// Keeps what is needed once a state comes back.
pub(in super::super) async fn keep_request(
    database: &Database,
    tenant: TenantId,
    digest: &str,
    sealed: &str,
    expires_at: Timestamp,
) -> Result<(), Failure> {
    let mut transaction = database.of_shop(tenant).await?;
    sqlx::query(
        "INSERT INTO accounts.identity_requests (tenant_id, digest, sealed, expires_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(tenant.uuid())
    .bind(digest)
    .bind(sealed)
    .bind(expires_at)
    .execute(&mut *transaction)
    .await?;
    Ok(transaction.commit().await?)
}

/// Uses a state up, whatever comes of it; gives what was kept with it, if it is good.
pub(in super::super) async fn take_request(
    database: &Database,
    tenant: TenantId,
    digest: &str,
    now: Timestamp,
) -> Result<Option<String>, Failure> {
    let mut transaction = database.of_shop(tenant).await?;
    let taken: Option<(String, Timestamp)> = sqlx::query_as(
        "DELETE FROM accounts.identity_requests WHERE tenant_id = $1 AND digest = $2 RETURNING sealed, expires_at",
    )
    .bind(tenant.uuid())
    .bind(digest)
    .fetch_optional(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(taken.filter(|(_, expires_at)| *expires_at > now).map(|(sealed, _)| sealed))
}
