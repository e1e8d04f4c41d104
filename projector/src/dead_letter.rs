//! Events that can't be applied: kept whole, counted, and in the way of nothing but their own aggregate.

use crate::consumer::Record;
use sqlx::{PgConnection, Row, postgres::PgRow};
use std::collections::HashSet;

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
    state: &str,
    error: &str,
) -> Result<(), sqlx::Error> {
    let headers: serde_json::Map<_, _> = record
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).replace('\0', "\u{fffd}").into()))
        .collect();
    sqlx::query(
        "INSERT INTO dead_letters (projection, aggregate_key, tenant_id, topic, partition, record_offset, event_type, headers,
                                   payload, error, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (projection, topic, partition, record_offset) DO NOTHING",
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
    .bind(state)
    .execute(connection)
    .await?;
    Ok(())
}

/// Asks the projection to try a parked event again, and after it all that queue behind it. Gives
/// whether there was such an event.
///
/// # Errors
/// The database's.
pub async fn retry(connection: &mut PgConnection, id: i64) -> Result<bool, sqlx::Error> {
    move_state(connection, id, "retrying", "an operator asked for another try").await
}

/// Gives an event up, with the reason; the next of its key is tried. Gives whether there was such an event.
///
/// # Errors
/// The database's.
pub async fn discard(connection: &mut PgConnection, id: i64, reason: &str) -> Result<bool, sqlx::Error> {
    let found = move_state(connection, id, "discarded", reason).await?;
    sqlx::query(
        "UPDATE dead_letters SET state = 'retrying', updated_at = now() WHERE id = (
           SELECT next.id FROM dead_letters AS gone JOIN dead_letters AS next USING (projection, aggregate_key)
           WHERE gone.id = $1 AND next.state = 'queued' ORDER BY next.id LIMIT 1)",
    )
    .bind(id)
    .execute(connection)
    .await?;
    Ok(found)
}

async fn move_state(connection: &mut PgConnection, id: i64, state: &str, note: &str) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query(
        "UPDATE dead_letters SET state = $2, error = error || E'\\n' || $3, updated_at = now()
         WHERE id = $1 AND state IN ('parked', 'queued')",
    )
    .bind(id)
    .bind(state)
    .bind(note)
    .execute(connection)
    .await?;
    Ok(moved.rows_affected() > 0)
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
        "UPDATE dead_letters SET state = 'parked', attempts = attempts + 1, error = $2, updated_at = now() WHERE id = $1",
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
