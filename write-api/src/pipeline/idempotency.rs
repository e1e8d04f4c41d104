//! Idempotency keys: claimed in the transaction of the command they guard, so that of two requests
//! with one key the second waits for the first and is then told what that one did.

use super::{Error, Failure, Scope, per_context::PerContext};
use schemas::contexts::Context;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::PgConnection;
use std::{collections::HashMap, fmt::Display};

/// A key and what identifies the request it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) key: String,
    pub(crate) request_hash: Vec<u8>,
}

impl Key {
    /// The same key of one principal: what another sends under it is something else. No key that is sent has a space.
    pub(crate) fn of(self, principal: &impl Display) -> Self {
        Self { key: format!("{} {principal}", self.key), ..self }
    }
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

/// Claims the key of a command that has one, and gives what was done under it before; none, and the command goes on. It waits while
/// another transaction holds the key, as long as for any lock.
///
/// # Errors
/// The key came with another request before.
pub(crate) async fn claim<T: DeserializeOwned>(
    conn: &mut PgConnection,
    context: Context,
    scope: &Scope,
    key: Option<&Key>,
) -> Result<Option<T>, Error> {
    let Some(key) = key else { return Ok(None) };
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
        return Ok(None);
    }
    let (hash, body): (Vec<u8>, String) =
        sqlx::query_as(FIND.sql(context)).bind(scope.tenant.uuid()).bind(&key.key).fetch_one(conn).await?;
    if hash != key.request_hash {
        return Err(Error::KeyReused);
    }
    let done = serde_json::from_str(&body).map_err(|error| Failure::Unreadable("answer", error.to_string()))?;
    Ok(Some(done))
}

/// Keeps with its key, if it has one, what was done.
pub(crate) async fn keep<T: Serialize>(
    conn: &mut PgConnection,
    context: Context,
    scope: &Scope,
    key: Option<&Key>,
    done: &T,
) -> Result<(), Failure> {
    let Some(key) = key else { return Ok(()) };
    let body = serde_json::to_string(done).map_err(|error| Failure::NoJson("answer", error))?;
    sqlx::query(KEEP.sql(context)).bind(scope.tenant.uuid()).bind(&key.key).bind(body).execute(conn).await?;
    Ok(())
}

static KNOWN: PerContext = PerContext::new(|schema| {
    format!("SELECT key, request_hash, body FROM {schema}.idempotency_keys WHERE tenant_id = $1 AND key = ANY($2)")
});

static KEEP_NEW: PerContext = PerContext::new(|schema| {
    format!(
        "INSERT INTO {schema}.idempotency_keys (tenant_id, key, request_hash, status, headers, body, created_at) \
         SELECT $1, new.key, new.request_hash, 200, '{{}}', new.body, $2 \
         FROM UNNEST($3::text[], $4::bytea[], $5::text[]) AS new (key, request_hash, body) ORDER BY new.key \
         ON CONFLICT (tenant_id, key) DO NOTHING"
    )
});

/// What was kept with a key.
pub(super) struct Kept {
    request_hash: Vec<u8>,
    body: String,
}

impl Kept {
    /// An answer that is about to be kept.
    pub(super) fn new<T: Serialize>(key: &Key, done: &T) -> Result<Self, Failure> {
        let body = serde_json::to_string(done).map_err(|error| Failure::NoJson("answer", error))?;
        Ok(Self { request_hash: key.request_hash.clone(), body })
    }

    /// The answer, if it is of the same request.
    pub(super) fn answer<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, Failure> {
        if self.request_hash != key.request_hash {
            return Ok(None);
        }
        serde_json::from_str(&self.body).map(Some).map_err(|error| Failure::Unreadable("answer", error.to_string()))
    }
}

/// What was kept with some keys. They are not claimed: see [`keep_new`].
pub(super) async fn known(
    conn: &mut PgConnection,
    context: Context,
    scope: &Scope,
    keys: &[&str],
) -> Result<HashMap<String, Kept>, Failure> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(String, Vec<u8>, String)> =
        sqlx::query_as(KNOWN.sql(context)).bind(scope.tenant.uuid()).bind(keys).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|(key, request_hash, body)| (key, Kept { request_hash, body })).collect())
}

/// Keeps answers with keys that were not [known](known()). If somebody has claimed one meanwhile, it is a
/// [`Failure::Conflict`]: what was decided may have been decided there.
pub(super) async fn keep_new(
    conn: &mut PgConnection,
    context: Context,
    scope: &Scope,
    new: &HashMap<String, Kept>,
) -> Result<(), Failure> {
    if new.is_empty() {
        return Ok(());
    }
    let kept = sqlx::query(KEEP_NEW.sql(context))
        .bind(scope.tenant.uuid())
        .bind(scope.now)
        .bind(new.keys().map(String::as_str).collect::<Vec<_>>())
        .bind(new.values().map(|kept| kept.request_hash.as_slice()).collect::<Vec<_>>())
        .bind(new.values().map(|kept| kept.body.as_str()).collect::<Vec<_>>())
        .execute(conn)
        .await?;
    if usize::try_from(kept.rows_affected()) == Ok(new.len()) { Ok(()) } else { Err(Failure::Conflict) }
}
