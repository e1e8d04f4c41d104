//! The tables of accounts: states, and what stands beside them and in no event.

pub(super) mod beside;
pub(super) mod former;
pub(super) mod identities;
pub(super) mod once;
pub(super) mod roles;
pub(super) mod second_factor;

pub(super) use beside::{
    claim_email, erase, forget_codes, keep_password, keep_person_key, move_email, open_sessions, password_of,
    person_key, rewrap, shop_key, user_of_email,
};
pub(super) use once::{Code, Purpose, RefreshToken, WaitingMail};
pub(super) use second_factor::SecondFactor;

use super::domain::{IdentityProvider, Role, Session, TokenKey, User};
use crate::pipeline::{Column, Failure, Table, TableSpec};
use schemas::{Timestamp, Uuid, events::accounts::TokenKeyAdded, ids::TenantId};
use sqlx::PgExecutor;

impl Table for User {
    const SPEC: TableSpec =
        TableSpec { name: "users", id: "user_id", of_tenant: true, columns: &[Column::Json("state")] };
}

impl Table for Session {
    const SPEC: TableSpec = TableSpec {
        name: "sessions",
        id: "session_id",
        of_tenant: true,
        columns: &[Column::Text("user_id", "uuid"), Column::Plain("is_over", "bool"), Column::Json("state")],
    };
}

impl Table for Role {
    const SPEC: TableSpec = TableSpec {
        name: "roles",
        id: "role_id",
        of_tenant: true,
        columns: &[Column::Text("slug", "text"), Column::Plain("is_gone", "bool"), Column::Json("state")],
    };
}

impl Table for TokenKey {
    const SPEC: TableSpec =
        TableSpec { name: "token_keys", id: "key_id", of_tenant: true, columns: &[Column::Json("state")] };
}

impl Table for IdentityProvider {
    const SPEC: TableSpec = TableSpec {
        name: "identity_providers",
        id: "provider_id",
        of_tenant: true,
        columns: &[Column::Text("slug", "text"), Column::Plain("is_removed", "bool"), Column::Json("state")],
    };
}

/// Somebody with their version, not locked.
pub(super) async fn user(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    user: Uuid,
) -> Result<Option<(u64, User)>, Failure> {
    let row: Option<(i64, String)> =
        sqlx::query_as("SELECT version, state FROM accounts.users WHERE tenant_id = $1 AND user_id = $2")
            .bind(tenant.uuid())
            .bind(user)
            .fetch_optional(executor)
            .await?;
    let read = |(version, state): (i64, String)| Ok((version.unsigned_abs(), serde_json::from_str(&state)?));
    row.map(read).transpose().map_err(|error: serde_json::Error| Failure::Unreadable("user", error.to_string()))
}

/// A key that tokens are signed with, and its private half as it is kept.
pub(super) struct SigningRow {
    pub(super) key: TokenKey,
    pub(super) secret: String,
}

/// The newest keys of a shop that are not revoked.
pub(super) async fn signing_keys(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    now: Timestamp,
) -> Result<Vec<SigningRow>, Failure> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT k.state, s.wrapped FROM accounts.token_keys AS k
         JOIN accounts.token_key_secrets AS s ON s.tenant_id = k.tenant_id AND s.key_id = k.key_id
         WHERE k.tenant_id = $1 ORDER BY k.key_id DESC LIMIT 10",
    )
    .bind(tenant.uuid())
    .fetch_all(executor)
    .await?;
    let read = |(state, secret): (String, String)| Ok(SigningRow { key: read_key(&state)?, secret });
    let keys: Vec<SigningRow> = rows.into_iter().map(read).collect::<Result<_, Failure>>()?;
    Ok(keys.into_iter().filter(|row| !row.key.is_revoked && row.key.added.valid_until > now).collect())
}

/// A key by its id, whatever tenant it is of: by it is found out whose a token is.
pub(super) async fn token_key(
    executor: impl PgExecutor<'_>,
    kid: Uuid,
) -> Result<Option<(TenantId, TokenKeyAdded)>, Failure> {
    let row: Option<(Uuid, String)> =
        sqlx::query_as("SELECT tenant_id, state FROM accounts.token_keys WHERE key_id = $1 LIMIT 1")
            .bind(kid)
            .fetch_optional(executor)
            .await?;
    let Some((tenant, state)) = row else { return Ok(None) };
    let key = read_key(&state)?;
    Ok((!key.is_revoked).then_some((TenantId(tenant), key.added)))
}

fn read_key(state: &str) -> Result<TokenKey, Failure> {
    serde_json::from_str(state).map_err(|error| Failure::Unreadable("token key", error.to_string()))
}

/// Keeps the private half of a key.
pub(super) async fn keep_secret(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    kid: Uuid,
    secret: &str,
) -> Result<(), Failure> {
    sqlx::query("INSERT INTO accounts.token_key_secrets (tenant_id, key_id, wrapped) VALUES ($1, $2, $3)")
        .bind(tenant.uuid())
        .bind(kid)
        .bind(secret)
        .execute(executor)
        .await?;
    Ok(())
}

/// Whether a session has ended before its time.
pub(super) async fn has_ended(executor: impl PgExecutor<'_>, tenant: TenantId, session: Uuid) -> Result<bool, Failure> {
    let is_over: Option<bool> =
        sqlx::query_scalar("SELECT is_over FROM accounts.sessions WHERE tenant_id = $1 AND session_id = $2")
            .bind(tenant.uuid())
            .bind(session)
            .fetch_optional(executor)
            .await?;
    Ok(is_over.unwrap_or(true))
}
