//! Idempotency keys: claimed in the transaction of the command they guard, so that of two requests
//! with one key the second waits for the first and then gets its answer.

use super::{Failure, PerContext, Scope};
use schemas::contexts::Context;
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// A key and what identifies the request it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) key: String,
    pub(crate) request_hash: Vec<u8>,
}

/// The answer that was given first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredAnswer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// What a claim led to.
#[derive(Debug)]
pub(crate) enum Claim {
    /// The key is ours; the command may go on.
    Ours,
    /// The command was carried out before.
    Answered(StoredAnswer),
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
    format!(
        "SELECT request_hash, status, headers, body FROM {schema}.idempotency_keys WHERE tenant_id = $1 AND key = $2"
    )
});

static ANSWER: PerContext = PerContext::new(|schema| {
    format!(
        "UPDATE {schema}.idempotency_keys SET status = $3, headers = $4, body = $5 WHERE tenant_id = $1 AND key = $2"
    )
});

/// Claims a key; waits while another transaction holds it, five seconds at most.
pub(crate) async fn claim(
    conn: &mut PgConnection,
    context: Context,
    scope: &Scope,
    key: &Key,
) -> Result<Claim, Failure> {
    sqlx::query("SET LOCAL lock_timeout = '5s'").execute(&mut *conn).await?;
    let claimed = sqlx::query(CLAIM.sql(context))
        .bind(scope.tenant.uuid())
        .bind(&key.key)
        .bind(&key.request_hash)
        .bind(scope.now)
        .execute(&mut *conn)
        .await?;
    if claimed.rows_affected() == 1 {
        return Ok(Claim::Ours);
    }
    let (hash, status, headers, body): (Vec<u8>, i16, sqlx::types::Json<BTreeMap<String, String>>, String) =
        sqlx::query_as(FIND.sql(context)).bind(scope.tenant.uuid()).bind(&key.key).fetch_one(conn).await?;
    if hash != key.request_hash {
        return Ok(Claim::Reused);
    }
    Ok(Claim::Answered(StoredAnswer { status: u16::try_from(status).unwrap_or(500), headers: headers.0, body }))
}

/// Keeps the answer with its key.
pub(crate) async fn answer(
    conn: &mut PgConnection,
    context: Context,
    scope: &Scope,
    key: &Key,
    answer: &StoredAnswer,
) -> Result<(), Failure> {
    sqlx::query(ANSWER.sql(context))
        .bind(scope.tenant.uuid())
        .bind(&key.key)
        .bind(i16::try_from(answer.status).unwrap_or(500))
        .bind(sqlx::types::Json(&answer.headers))
        .bind(&answer.body)
        .execute(conn)
        .await?;
    Ok(())
}
