//! Events that can't be applied: stored whole and counted. They hold up nothing but their own aggregate.
//!
//! This file is for the projections; [`operator`] is for operators.
//!
//! The oldest open dead letter of a key is the head: `parked` or `retrying`. The others are `queued` behind it, and none is
//! tried before the head is settled. So the events of one aggregate are applied in order, whatever operators do.

use crate::consumer::Record;
use schemas::dead_letter::DeadLetterState;
use sqlx::{PgConnection, Row, postgres::PgRow};
use std::collections::HashSet;

pub mod operator;

/// Which keys of a projection are closed: an event of theirs waits for an operator.
///
/// # Errors
/// The database's.
pub async fn closed_keys(connection: &mut PgConnection, projection: &str) -> Result<HashSet<String>, sqlx::Error> {
    let keys: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT aggregate_key FROM dead_letters
         WHERE projection = $1 AND state IN ('parked', 'queued', 'retrying')",
    )
    .bind(projection)
    .fetch_all(connection)
    .await?;
    Ok(keys.into_iter().collect())
}

/// Keeps a record: `parked` with the error it met, or `queued` behind a parked one of its key.
///
/// # Errors
/// The database's.
pub async fn keep(
    connection: &mut PgConnection,
    projection: &str,
    record: &Record,
    state: DeadLetterState,
    error: &str,
) -> Result<(), sqlx::Error> {
    let headers: serde_json::Map<_, _> = record
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).replace('\0', "\u{fffd}").into()))
        .collect();
    sqlx::query(
        "WITH kept AS (
           INSERT INTO dead_letters (projection, aggregate_key, tenant_id, topic, partition, record_offset, event_type, headers,
                                     payload, error, state)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
           ON CONFLICT (projection, topic, partition, record_offset) DO NOTHING RETURNING id, state, error)
         INSERT INTO dead_letter_history (letter_id, kind, note) SELECT id, 'failed', error FROM kept WHERE state = 'parked'",
    )
    .bind(projection)
    .bind(record.key.replace('\0', "\u{fffd}"))
    .bind(record.header("ce_souktenant").and_then(|text| text.parse::<schemas::Uuid>().ok()))
    .bind(&record.topic)
    .bind(record.partition)
    .bind(record.offset)
    .bind(record.header("ce_type"))
    .bind(serde_json::Value::Object(headers))
    .bind(record.payload.as_deref())
    .bind(error.replace('\0', "\u{fffd}"))
    .bind(state.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether an event is to be tried again.
///
/// # Errors
/// The database's.
pub async fn is_retry_asked(connection: &mut PgConnection, projection: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM dead_letters WHERE projection = $1 AND state = 'retrying')")
        .bind(projection)
        .fetch_one(connection)
        .await
}

/// The key of the oldest event that is to be tried again, and everything of that key in order.
///
/// # Errors
/// The database's.
pub async fn to_retry(connection: &mut PgConnection, projection: &str) -> Result<Vec<(i64, Record)>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT id, aggregate_key, topic, partition, record_offset, headers, payload FROM dead_letters
         WHERE projection = $1 AND state IN ('parked', 'queued', 'retrying') AND aggregate_key = (
           SELECT aggregate_key FROM dead_letters WHERE projection = $1 AND state = 'retrying' ORDER BY id LIMIT 1)
         ORDER BY id",
    )
    .bind(projection)
    .fetch_all(connection)
    .await?;
    rows.iter().map(kept).collect()
}

/// Marks an event as tried again with success.
///
/// # Errors
/// The database's.
pub async fn settle(connection: &mut PgConnection, id: i64) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE dead_letters SET state = 'retried', attempts = attempts + 1, updated_at = now() WHERE id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Parks an event again after another failure.
///
/// # Errors
/// The database's.
pub async fn park_again(connection: &mut PgConnection, id: i64, error: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "WITH parked AS (
           UPDATE dead_letters SET state = 'parked', attempts = attempts + 1, error = $2, updated_at = now()
           WHERE id = $1 RETURNING id, error)
         INSERT INTO dead_letter_history (letter_id, kind, note) SELECT id, 'failed', error FROM parked",
    )
    .bind(id)
    .bind(error.replace('\0', "\u{fffd}"))
    .execute(connection)
    .await?;
    Ok(())
}

fn kept(row: &PgRow) -> Result<(i64, Record), sqlx::Error> {
    let headers: serde_json::Value = row.try_get("headers")?;
    let headers = headers.as_object().into_iter().flatten();
    let record = Record {
        topic: row.try_get("topic")?,
        partition: row.try_get("partition")?,
        offset: row.try_get("record_offset")?,
        key: row.try_get("aggregate_key")?,
        payload: row.try_get("payload")?,
        headers: headers
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().as_bytes().to_vec()))
            .collect(),
    };
    Ok((row.try_get("id")?, record))
}
