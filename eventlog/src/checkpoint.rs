//! Where a projection continues: rows that are written in the transaction of what they describe.

use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;

/// Topic and partition to the next offset to read.
pub type Offsets = BTreeMap<(String, i32), i64>;

/// A checkpoint can't be moved.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Another process has moved it: this one must read the stored offsets again.
    #[error("another process has moved the checkpoint of {0}")]
    Fenced(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Reads the stored offsets of a projection.
///
/// # Errors
/// The database's.
pub async fn load(connection: &mut PgConnection, projection: &str) -> Result<Offsets, sqlx::Error> {
    let rows = sqlx::query("SELECT topic, partition, next_offset FROM checkpoints WHERE projection = $1")
        .bind(projection)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?))).collect()
}

/// Makes a row for each partition that has none, so that whoever wants a projection to stand still can lock them all.
///
/// # Errors
/// The database's.
pub async fn prepare(
    connection: &mut PgConnection,
    projection: &str,
    partitions: &[(String, i32)],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO checkpoints (projection, topic, partition, next_offset)
         SELECT $1, t, p, 0 FROM unnest($2::text[], $3::int[]) AS k(t, p) ON CONFLICT DO NOTHING",
    )
    .bind(projection)
    .bind(partitions.iter().map(|(topic, _)| topic.as_str()).collect::<Vec<_>>())
    .bind(partitions.iter().map(|(_, partition)| *partition).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Has a projection stand still for as long as the transaction lasts, whoever works on it: none of its partitions can move.
///
/// # Errors
/// The database's.
pub async fn hold(transaction: &mut PgConnection, projection: &str) -> Result<(), sqlx::Error> {
    // In the order in which they are moved, so that no two wait for each other.
    sqlx::query("SELECT FROM checkpoints WHERE projection = $1 ORDER BY topic COLLATE \"C\", partition FOR UPDATE")
        .bind(projection)
        .execute(transaction)
        .await?;
    Ok(())
}

/// Moves the checkpoint from what this process has read to `next`, or fails if it stands elsewhere.
///
/// # Errors
/// [`CheckpointError::Fenced`] if somebody else has moved it.
pub async fn advance(
    connection: &mut PgConnection,
    projection: &str,
    known: &Offsets,
    next: &Offsets,
) -> Result<(), CheckpointError> {
    let topics: Vec<&str> = next.keys().map(|(topic, _)| topic.as_str()).collect();
    let partitions: Vec<i32> = next.keys().map(|(_, partition)| *partition).collect();
    let before: Vec<i64> = next.keys().map(|key| known.get(key).copied().unwrap_or_default()).collect();
    let after: Vec<i64> = next.values().copied().collect();
    let moved = sqlx::query(
        "INSERT INTO checkpoints AS c (projection, topic, partition, next_offset)
         SELECT $1, t, p, after FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[]) AS moves(t, p, before, after)
         ON CONFLICT (projection, topic, partition) DO UPDATE
         SET next_offset = excluded.next_offset, updated_at = now()
         WHERE c.next_offset = (SELECT before FROM unnest($2::text[], $3::int[], $4::bigint[]) AS m(t, p, before)
                                WHERE m.t = excluded.topic AND m.p = excluded.partition)",
    )
    .bind(projection)
    .bind(topics)
    .bind(partitions)
    .bind(before)
    .bind(after)
    .execute(connection)
    .await?;
    if moved.rows_affected() == next.len() as u64 {
        Ok(())
    } else {
        Err(CheckpointError::Fenced(projection.to_owned()))
    }
}
