//! The way back: a new epoch of the log tells the whole history, so what is in files goes back into the outboxes first.

use eventlog::archive::{ArchiveError, ArchiveFile, ArchivedRow, COLUMNS};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::path::Path;
use tokio::task::block_in_place;

/// Rows in one statement.
const CHUNK: usize = 1_000;

/// The files that a recovery needs, in the order of their ids.
async fn needed(write: &mut PgConnection) -> Result<Vec<ArchiveFile>, sqlx::Error> {
    sqlx::query_as(
        "SELECT file, context, month, rows, first_id, last_id, bytes, sha256 FROM installation.archives
         WHERE restored_at IS NULL ORDER BY context, first_id",
    )
    .fetch_all(write)
    .await
}

/// Whether every file that a recovery needs is there and whole.
///
/// # Errors
/// [`ArchiveError::Missing`] and [`ArchiveError::Damaged`] name the first that is not.
pub async fn check(write: &mut PgConnection, folder: &Path) -> Result<(), ArchiveError> {
    for file in needed(write).await? {
        block_in_place(|| file.check(folder))?;
    }
    Ok(())
}

/// Takes what is archived back into the outboxes, where it waits for publication under the ids it had; gives how many rows.
/// A file is one transaction, so whoever is ended here goes on with the next file. The job that archives takes the rows
/// out again.
///
/// # Errors
/// [`ArchiveError`]; nothing is taken back unless every file is whole.
pub async fn restore(write: &mut PgConnection, folder: &Path) -> Result<u64, ArchiveError> {
    check(write, folder).await?;
    let mut restored = 0;
    for file in needed(write).await? {
        let mut transaction = write.begin().await?;
        sqlx::query("SELECT installation.create_month($1, $2)")
            .bind(&file.context)
            .bind(file.month)
            .execute(&mut *transaction)
            .await?;
        let mut rows = block_in_place(|| file.rows(folder))?;
        loop {
            let chunk: Vec<ArchivedRow> = block_in_place(|| rows.by_ref().take(CHUNK).collect::<Result<_, _>>())?;
            if chunk.is_empty() {
                break;
            }
            restored += insert(&mut transaction, &file.context, chunk).await?;
        }
        sqlx::query("UPDATE installation.archives SET restored_at = now() WHERE file = $1")
            .bind(&file.file)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        tracing::info!(file.file, rows.restored = restored, "an archived month is back in the outbox");
    }
    Ok(restored)
}

/// Rows that are there already, since they were not deleted yet, stay as they are.
async fn insert(write: &mut PgConnection, context: &str, rows: Vec<ArchivedRow>) -> Result<u64, sqlx::Error> {
    let rows: Vec<_> = rows.into_iter().map(|row| ArchivedRow { published_at: None, ..row }).collect();
    let sql = format!(
        "INSERT INTO {context}.outbox ({COLUMNS})
         SELECT {COLUMNS} FROM jsonb_to_recordset($1) AS r (id bigint, event_id uuid, tenant_id uuid, event_type text,
           aggregate text, aggregate_id uuid, version bigint, partition_id uuid, payload text, occurred_at timestamptz,
           correlation_id text, causation_id text, traceparent text, published_at timestamptz, topic text, partition integer,
           record_offset bigint)
         ON CONFLICT DO NOTHING"
    );
    Ok(sqlx::query(AssertSqlSafe(sql)).bind(sqlx::types::Json(rows)).execute(write).await?.rows_affected())
}
