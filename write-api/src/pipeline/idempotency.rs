//! Idempotency keys: claimed in the transaction of the command they guard, so that of two requests
//! with one key the second waits for the first and is then told what that one did.

use super::{Failure, Scope, per_context::PerContext};
use schemas::contexts::Context;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::PgConnection;

/// A key and what identifies the request it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) key: String,
    pub(crate) request_hash: Vec<u8>,
}

/// What a claim led to.
#[derive(Debug)]
pub(crate) enum Claim<T> {
    /// The key is ours; the command may go on.
    Ours,
    /// The command was carried out before; this is what was done then.
    Done(T),
    /// The key came with another request before.
    Reused,
}

static CLAIM: PerContext = PerContext::new(|schema| {
    format!(
        "INSERT INTO {schema}.idempotency_keys (tenant_id, key, request_hash, status, headers, body, created_at) \
         VALUES ($1, $2, $3, 0, '{{}}', '', $4) ON CONFLICT (tenant_id, key) DO NOTHING"
    )
});

static FIND: PerContext = PerContext::new(|schema| {
    format!("SELECT request_hash, body FROM {schema}.idempotency_keys WHERE tenant_id = $1 AND key = $2")
});

static KEEP: PerContext = PerContext::new(|schema| {
    format!("UPDATE {schema}.idempotency_keys SET status = 200, body = $3 WHERE tenant_id = $1 AND key = $2")
});

/// Claims a key; waits while another transaction holds it, as long as for any lock.
pub(crate) async fn claim<T: DeserializeOwned>(
    conn: &mut PgConnection,
    context: Context,
    scope: &Scope,
    key: &Key,
) -> Result<Claim<T>, Failure> {
    let claimed = sqlx::query(CLAIM.sql(context))
        .bind(scope.tenant.uuid())
        .bind(&key.key)
        .bind(&key.request_hash)
        .bind(scope.now)
        .execute(&mut *conn)
        .await
        .map_err(|error| match Failure::from(error) {
            Failure::Contended => Failure::Locked,
            other => other,
        })?;
    if claimed.rows_affected() == 1 {
        return Ok(Claim::Ours);
    }
    let (hash, body): (Vec<u8>, String) =
        sqlx::query_as(FIND.sql(context)).bind(scope.tenant.uuid()).bind(&key.key).fetch_one(conn).await?;
    if hash != key.request_hash {
        return Ok(Claim::Reused);
    }
    serde_json::from_str(&body).map(Claim::Done).map_err(|error| Failure::Unreadable("answer", error.to_string()))
}

/// Keeps with its key what was done.
pub(crate) async fn keep<T: Serialize>(
    conn: &mut PgConnection,
    context: Context,
    scope: &Scope,
    key: &Key,
    done: &T,
) -> Result<(), Failure> {
    let body = serde_json::to_string(done).map_err(|error| Failure::NoJson("answer", error))?;
    sqlx::query(KEEP.sql(context)).bind(scope.tenant.uuid()).bind(&key.key).bind(body).execute(conn).await?;
    Ok(())
}
