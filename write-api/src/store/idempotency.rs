//! Idempotency keys: claimed in the transaction of the command they guard, so that of two requests
//! with one key the second waits for the first and then gets its answer.

use super::{Failure, Scope};
use schemas::topics::Context;
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

macro_rules! statements {
    ($schema:literal) => {
        [
            concat!(
                "INSERT INTO ",
                $schema,
                ".idempotency_keys (tenant_id, key, request_hash, status, headers, body, created_at) \
                 VALUES ($1, $2, $3, 0, '{}', '', $4) ON CONFLICT (tenant_id, key) DO NOTHING"
            ),
            concat!(
                "SELECT request_hash, status, headers, body FROM ",
                $schema,
                ".idempotency_keys WHERE tenant_id = $1 AND key = $2"
            ),
            concat!(
                "UPDATE ",
                $schema,
                ".idempotency_keys SET status = $3, headers = $4, body = $5 WHERE tenant_id = $1 AND key = $2"
            ),
        ]
    };
}

const fn statements(context: Context) -> [&'static str; 3] {
    match context {
        Context::Tenants => statements!("tenants"),
        Context::Catalog => statements!("catalog"),
        Context::Pricing => statements!("pricing"),
        Context::Inventory => statements!("inventory"),
        Context::Merchandising => statements!("merchandising"),
        Context::Insights => statements!("insights"),
    }
}

/// Claims a key; waits while another transaction holds it, five seconds at most.
pub(crate) async fn claim(
    conn: &mut PgConnection,
    context: Context,
    scope: &Scope,
    key: &Key,
) -> Result<Claim, Failure> {
    let [insert, select, _] = statements(context);
    sqlx::query("SET LOCAL lock_timeout = '5s'").execute(&mut *conn).await?;
    let claimed = sqlx::query(insert)
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
        sqlx::query_as(select).bind(scope.tenant.uuid()).bind(&key.key).fetch_one(conn).await?;
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
    let [_, _, update] = statements(context);
    sqlx::query(update)
        .bind(scope.tenant.uuid())
        .bind(&key.key)
        .bind(i16::try_from(answer.status).unwrap_or(500))
        .bind(sqlx::types::Json(&answer.headers))
        .bind(&answer.body)
        .execute(conn)
        .await?;
    Ok(())
}
