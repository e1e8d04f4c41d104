//! Whose address was proved, and which guests they were.

use crate::pipeline::Failure;
use schemas::{Timestamp, Uuid, ids::TenantId};
use sqlx::{PgConnection, PgExecutor};

/// Somebody's address is proved.
pub(in super::super) async fn prove(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    user: Uuid,
    now: Timestamp,
) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO accounts.proved_addresses (tenant_id, user_id, proved_at) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, user_id) DO UPDATE SET proved_at = excluded.proved_at",
    )
    .bind(tenant.uuid())
    .bind(user)
    .bind(now)
    .execute(executor)
    .await?;
    Ok(())
}

/// So many of them, with the digests of their addresses and when it was, the longest ago first.
pub(in super::super) async fn proved(
    executor: impl PgExecutor<'_>,
    most: i64,
) -> Result<Vec<(Uuid, Uuid, String, Timestamp)>, Failure> {
    let found = sqlx::query_as(
        "SELECT p.tenant_id, p.user_id, e.digest, p.proved_at
         FROM accounts.proved_addresses p JOIN accounts.emails e ON e.tenant_id = p.tenant_id AND e.user_id = p.user_id
         ORDER BY p.proved_at LIMIT $1",
    );
    Ok(found.bind(most).fetch_all(executor).await?)
}

/// The orders of somebody were found, unless they have proved an address since.
pub(in super::super) async fn found(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    user: Uuid,
    at: Timestamp,
) -> Result<(), Failure> {
    sqlx::query("DELETE FROM accounts.proved_addresses WHERE tenant_id = $1 AND user_id = $2 AND proved_at = $3")
        .bind(tenant.uuid())
        .bind(user)
        .bind(at)
        .execute(executor)
        .await?;
    Ok(())
}

/// Somebody was these guests.
pub(in super::super) async fn note(
    conn: &mut PgConnection,
    tenant: TenantId,
    user: Uuid,
    guests: &[Uuid],
) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO accounts.former_guests (tenant_id, user_id, guest_id) SELECT $1, $2, unnest($3::uuid[])
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant.uuid())
    .bind(user)
    .bind(guests)
    .execute(conn)
    .await?;
    Ok(())
}
