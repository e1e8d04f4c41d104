//! Addresses, passwords and keys of people: what is theirs and in no event.

use crate::pipeline::{Failure, database::Database};
use schemas::{Uuid, ids::TenantId};
use sqlx::{AssertSqlSafe, PgConnection, PgExecutor};

/// Who has an address, by its digest.
pub(in super::super) async fn user_of_email(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    digest: &str,
) -> Result<Option<Uuid>, Failure> {
    let found = sqlx::query_scalar("SELECT user_id FROM accounts.emails WHERE tenant_id = $1 AND digest = $2");
    Ok(found.bind(tenant.uuid()).bind(digest).fetch_optional(executor).await?)
}

/// Gives somebody an address that nobody has; somebody who was faster is a [`Failure::Conflict`].
pub(in super::super) async fn claim_email(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    digest: &str,
    user: Uuid,
) -> Result<(), Failure> {
    sqlx::query("INSERT INTO accounts.emails (tenant_id, digest, user_id) VALUES ($1, $2, $3)")
        .bind(tenant.uuid())
        .bind(digest)
        .bind(user)
        .execute(executor)
        .await?;
    Ok(())
}

/// Gives somebody another address instead of the one they have.
pub(in super::super) async fn move_email(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    digest: &str,
    user: Uuid,
) -> Result<(), Failure> {
    sqlx::query("UPDATE accounts.emails SET digest = $2 WHERE tenant_id = $1 AND user_id = $3")
        .bind(tenant.uuid())
        .bind(digest)
        .bind(user)
        .execute(executor)
        .await?;
    Ok(())
}

/// The hash of somebody's password.
pub(in super::super) async fn password_of(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    user: Uuid,
) -> Result<Option<String>, Failure> {
    let found = sqlx::query_scalar("SELECT hash FROM accounts.passwords WHERE tenant_id = $1 AND user_id = $2");
    Ok(found.bind(tenant.uuid()).bind(user).fetch_optional(executor).await?)
}

/// Sets the hash of somebody's password.
pub(in super::super) async fn keep_password(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    user: Uuid,
    hash: &str,
) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO accounts.passwords (tenant_id, user_id, hash) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, user_id) DO UPDATE SET hash = excluded.hash",
    )
    .bind(tenant.uuid())
    .bind(user)
    .bind(hash)
    .execute(executor)
    .await?;
    Ok(())
}

/// The sessions of somebody that have not ended, in one order for all.
pub(in super::super) async fn open_sessions(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    user: Uuid,
) -> Result<Vec<Uuid>, Failure> {
    let found = sqlx::query_scalar(
        "SELECT session_id FROM accounts.sessions WHERE tenant_id = $1 AND user_id = $2 AND NOT is_over
         ORDER BY session_id",
    );
    Ok(found.bind(tenant.uuid()).bind(user).fetch_all(executor).await?)
}

/// The wrapped key of somebody; none once they are erased.
pub(in super::super) async fn person_key(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    user: Uuid,
) -> Result<Option<String>, Failure> {
    let found = sqlx::query_scalar("SELECT wrapped FROM accounts.person_keys WHERE tenant_id = $1 AND user_id = $2");
    Ok(found.bind(tenant.uuid()).bind(user).fetch_optional(executor).await?)
}

/// Keeps the key of somebody who is new.
pub(in super::super) async fn keep_person_key(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    user: Uuid,
    wrapped: &str,
) -> Result<(), Failure> {
    sqlx::query("INSERT INTO accounts.person_keys (tenant_id, user_id, wrapped) VALUES ($1, $2, $3)")
        .bind(tenant.uuid())
        .bind(user)
        .bind(wrapped)
        .execute(executor)
        .await?;
    Ok(())
}

/// Makes every code that was sent to somebody none.
pub(in super::super) async fn forget_codes(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    user: Uuid,
) -> Result<(), Failure> {
    sqlx::query("DELETE FROM accounts.codes WHERE tenant_id = $1 AND user_id = $2")
        .bind(tenant.uuid())
        .bind(user)
        .execute(executor)
        .await?;
    Ok(())
}

/// Deletes all that is somebody's and in no event, the key first: what was sealed with it can't be read again.
pub(in super::super) async fn erase(conn: &mut PgConnection, tenant: TenantId, user: Uuid) -> Result<(), Failure> {
    const OF_USER: [&str; 9] = [
        "person_keys",
        "passwords",
        "second_factors",
        "emails",
        "codes",
        "mails",
        "identities",
        "proved_addresses",
        "former_guests",
    ];
    // Guests that they were: their orders are sealed by keys of their own.
    sqlx::query(
        "DELETE FROM accounts.person_keys WHERE tenant_id = $1 AND user_id IN (
           SELECT guest_id FROM accounts.former_guests WHERE tenant_id = $1 AND user_id = $2)",
    )
    .bind(tenant.uuid())
    .bind(user)
    .execute(&mut *conn)
    .await?;
    for table in OF_USER {
        let sql = format!("DELETE FROM accounts.{table} WHERE tenant_id = $1 AND user_id = $2");
        sqlx::query(AssertSqlSafe(sql)).bind(tenant.uuid()).bind(user).execute(&mut *conn).await?;
    }
    sqlx::query(
        "DELETE FROM accounts.refresh_tokens WHERE tenant_id = $1 AND session_id IN (
           SELECT session_id FROM accounts.sessions WHERE tenant_id = $1 AND user_id = $2)",
    )
    .bind(tenant.uuid())
    .bind(user)
    .execute(conn)
    .await?;
    Ok(())
}

/// The wrapped key of a shop: this one, unless it has one already.
pub(in super::super) async fn shop_key(
    database: &Database,
    tenant: TenantId,
    wrapped: &str,
) -> Result<String, Failure> {
    const FIND: &str = "SELECT wrapped FROM accounts.shop_keys WHERE tenant_id = $1";
    let mut transaction = database.of_shop(tenant).await?;
    if let Some(found) = sqlx::query_scalar(FIND).bind(tenant.uuid()).fetch_optional(&mut *transaction).await? {
        return Ok(found);
    }
    sqlx::query("INSERT INTO accounts.shop_keys (tenant_id, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(tenant.uuid())
        .bind(wrapped)
        .execute(&mut *transaction)
        .await?;
    let kept = sqlx::query_scalar(FIND).bind(tenant.uuid()).fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(kept)
}

/// Some keys of people or shops that another master key than this one has wrapped, with their ids.
pub(in super::super) struct Wrapped {
    pub(in super::super) tenant: TenantId,
    /// None for the key of the shop itself.
    pub(in super::super) user: Option<Uuid>,
    pub(in super::super) wrapped: String,
}

/// Wraps keys anew, so many at once; gives how many there were.
pub(in super::super) async fn rewrap(
    conn: &mut PgConnection,
    current: &str,
    most: i64,
    anew: impl Fn(&Wrapped) -> Result<String, Failure>,
) -> Result<u64, Failure> {
    let rows: Vec<(Uuid, Option<Uuid>, String)> = sqlx::query_as(
        "(SELECT tenant_id, NULL::uuid, wrapped FROM accounts.shop_keys WHERE NOT starts_with(wrapped, $1 || '.') LIMIT $2)
         UNION ALL
         (SELECT tenant_id, user_id, wrapped FROM accounts.person_keys WHERE NOT starts_with(wrapped, $1 || '.') LIMIT $2)",
    )
    .bind(current)
    .bind(most)
    .fetch_all(&mut *conn)
    .await?;
    let mut done = 0;
    for (tenant, user, wrapped) in rows {
        let old = Wrapped { tenant: TenantId(tenant), user, wrapped };
        let new = anew(&old)?;
        // Who was erased meanwhile has no row, and gets none.
        let sql = match user {
            Some(_) => {
                "UPDATE accounts.person_keys SET wrapped = $4 WHERE tenant_id = $1 AND user_id = $2 AND wrapped = $3"
            }
            None => {
                "UPDATE accounts.shop_keys SET wrapped = $4 WHERE tenant_id = $1 AND $2::uuid IS NULL AND wrapped = $3"
            }
        };
        let query = sqlx::query(sql).bind(tenant).bind(user).bind(&old.wrapped).bind(new);
        done += query.execute(&mut *conn).await?.rows_affected();
    }
    Ok(done)
}
