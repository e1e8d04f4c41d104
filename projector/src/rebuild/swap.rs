//! The two sets of views change places, in one transaction: no query fails, none sees half.

use super::{
    place::{RebuildError, at_the_same_place},
    tables::SCHEMA,
};
use crate::{readers, registry};
use schemas::{Utc, signals::Changed};
use serde::Serialize;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::time::{Duration, Instant};

/// How long the projections stand still at most until both sets are at the same place.
const STANDSTILL: Duration = Duration::from_secs(10);
/// How long the tables are waited for at a time. Far less than PostgreSQL's `deadlock_timeout` of a second: where a
/// query holds one table and wants the next, it is this side that lets go.
const LOCK_TIMEOUT: &str = "50ms";
/// Between two tries, so that queries that queued up get through.
const PAUSE: Duration = Duration::from_millis(30);
const TRIES: u32 = 200;
/// The body of a document without its version.
const BARE: &str = "'\"doc_version\":[0-9]+'";

/// What a swap did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Swapped {
    /// Documents that are other ones now, and published as such.
    pub documents: u64,
    /// How long the projections stood still, in milliseconds. Queries waited at most 50 ms at a time.
    pub standstill_ms: u64,
}

/// Lets the two sets change places.
///
/// # Errors
/// [`RebuildError`]; then nothing has changed.
pub async fn swap(connection: &mut PgConnection) -> Result<Swapped, RebuildError> {
    let began = Instant::now();
    let mut transaction = connection.begin().await?;
    at_the_same_place(&mut transaction, STANDSTILL).await?;
    let documents = settle_documents(&mut transaction).await?;
    change_places(&mut transaction).await?;
    sqlx::query("UPDATE views_standby SET state = 'previous', swapped_at = now(), note = ''")
        .execute(&mut *transaction)
        .await?;
    readers::tell(&mut transaction, Changed::Anything).await?;
    transaction.commit().await?;
    let standstill_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Swapped { documents, standstill_ms })
}

/// Gives the documents of the other set the versions they are published under; those that are other ones get versions
/// above, and wait for publication, so that index and vectors follow. Gives how many.
async fn settle_documents(transaction: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let now = Utc::now().timestamp_micros();
    let equal = format!(
        "s.content_hash = l.content_hash AND s.deleted = l.deleted
         AND regexp_replace(s.body, {BARE}, '') = regexp_replace(l.body, {BARE}, '')"
    );
    let steps = [
        format!(
            "UPDATE {SCHEMA}.documents AS s SET doc_version = l.doc_version, body = l.body FROM public.documents AS l
             WHERE (l.tenant_id, l.product_id) = (s.tenant_id, s.product_id) AND s.doc_version <> l.doc_version AND {equal}"
        ),
        // What was removed is remembered.
        format!(
            "INSERT INTO {SCHEMA}.documents SELECT l.* FROM public.documents AS l WHERE l.deleted
             ON CONFLICT (tenant_id, product_id) DO NOTHING"
        ),
        format!(
            "CREATE TEMP TABLE other_documents ON COMMIT DROP AS
             SELECT coalesce(l.tenant_id, s.tenant_id) AS tenant_id, coalesce(l.product_id, s.product_id) AS product_id,
                    s.product_id IS NULL AS is_gone, greatest(l.doc_version + 1, s.doc_version + 1, {now}) AS doc_version
             FROM public.documents AS l FULL JOIN {SCHEMA}.documents AS s
               ON (l.tenant_id, l.product_id) = (s.tenant_id, s.product_id)
             WHERE l.product_id IS NULL OR s.product_id IS NULL OR NOT ({equal})"
        ),
        format!(
            "UPDATE {SCHEMA}.documents AS s SET doc_version = o.doc_version,
                    body = regexp_replace(s.body, {BARE}, '\"doc_version\":' || o.doc_version)
             FROM other_documents AS o WHERE (o.tenant_id, o.product_id) = (s.tenant_id, s.product_id)"
        ),
        format!(
            "INSERT INTO {SCHEMA}.documents (tenant_id, product_id, doc_version, content_hash, text_hash, deleted, body)
             SELECT tenant_id, product_id, doc_version, 'removed', NULL, true,
                    format('{{\"tenant_id\":\"%s\",\"product_id\":\"%s\",\"doc_version\":%s}}', tenant_id, product_id, doc_version)
             FROM other_documents WHERE is_gone"
        ),
        format!(
            "UPDATE {SCHEMA}.product_pages AS p SET doc_version = d.doc_version FROM {SCHEMA}.documents AS d
             WHERE (d.tenant_id, d.product_id) = (p.tenant_id, p.product_id) AND p.doc_version <> d.doc_version"
        ),
    ];
    for sql in steps {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *transaction).await?;
    }
    let published = sqlx::query(
        "INSERT INTO public.document_outbox (tenant_id, product_id, doc_version, event_time, correlation_id)
         SELECT tenant_id, product_id, doc_version, now(), 'views-promoted' FROM other_documents
         ON CONFLICT (tenant_id, product_id) DO UPDATE SET doc_version = excluded.doc_version",
    )
    .execute(transaction)
    .await?;
    Ok(published.rows_affected())
}

/// Moves the tables of both sets, as soon as nobody uses them for a moment.
async fn change_places(transaction: &mut PgConnection) -> Result<(), RebuildError> {
    let tables: Vec<&str> = registry::tables().iter().map(|table| table.name).collect();
    for _ in 0..TRIES {
        let mut attempt = transaction.begin().await?;
        let set = format!("SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'");
        sqlx::query(AssertSqlSafe(set)).execute(&mut *attempt).await?;
        match sqlx::query("SELECT installation.swap_views($1)").bind(&tables).execute(&mut *attempt).await {
            Ok(_) => return Ok(attempt.commit().await?),
            Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| code == "55P03") => {
                attempt.rollback().await?;
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(RebuildError::Busy)
}
