//! Old months of outboxes go into files, and then out of the database.
//!
//! A month goes as a whole, once all of it is older than the days that are set and all of it is published. Its rows are
//! written to a file, the file is read back, and then, in one transaction, `installation.archives` names the file and the month's
//! partition is dropped. A partition that holds other months as well loses its rows in steps, by the ids in the file. A
//! process that dies before the transaction leaves a file that nobody asks for; one that dies after it leaves rows that are
//! in both, which the next run deletes.

use eventlog::{
    archive::{ArchiveError, ArchiveFile, ArchivedRow, COLUMNS, Writer, write_manifest},
    database,
};
use schemas::{Days, NaiveDate, Timestamp};
use service::jobs::{Job, JobError, JobFuture};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{path::PathBuf, time::Duration};
use tokio::task::block_in_place;

/// Rows that are read at a time.
const CHUNK: i64 = 2_000;
/// Rows that are deleted in one transaction.
const STEP: usize = 2_000;
/// How often a partition that somebody reads just now is tried to be dropped, and how long between.
const TRIES: u32 = 40;
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// Archives and drops the months that are older than `days`; 0 keeps everything where it is.
#[derive(Debug, Clone)]
pub struct ArchiveOutboxes {
    /// Where the files go.
    pub folder: PathBuf,
    /// The age from which a month goes.
    pub days: u32,
}

impl Job for ArchiveOutboxes {
    fn name(&self) -> &'static str {
        "outbox_archive"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(60 * 60)
    }

    fn run<'a>(&'a self, connection: &'a mut PgConnection, now: Timestamp) -> JobFuture<'a> {
        Box::pin(async move {
            let Some(horizon) = now.checked_sub_days(Days::new(self.days.into())).filter(|_| self.days > 0) else {
                return Ok(0);
            };
            let mut deleted = self.delete_what_is_in_files(connection).await?;
            for due in due(connection, horizon).await? {
                if let Some(file) = self.archive(connection, &due).await? {
                    deleted += self.let_go(connection, &due, &file, now).await?;
                    self.tell(connection, &due.context).await?;
                }
            }
            Ok(deleted)
        })
    }
}

/// A month of a context that is to go.
#[derive(Debug)]
struct Due {
    context: String,
    partition: String,
    month: NaiveDate,
    /// Whether the partition holds nothing else.
    whole: bool,
}

impl Due {
    /// The rows of the month.
    fn rows(&self) -> String {
        let Self { context, partition, month, .. } = self;
        format!("{context}.{partition} WHERE {}", of_month(&format!("date '{month}'")))
    }
}

/// Whether a row is of the month that an expression names.
fn of_month(day: &str) -> String {
    format!(
        "occurred_at >= installation.month_start({day}) AND occurred_at < installation.month_start(({day} + interval '1 month')::date)"
    )
}

/// What is due: the months that end before the horizon, oldest first.
async fn due(connection: &mut PgConnection, horizon: Timestamp) -> Result<Vec<Due>, sqlx::Error> {
    let partitions: Vec<(String, String, Option<Timestamp>)> = sqlx::query_as(
        "SELECT context, partition, since FROM installation.outbox_partitions
         WHERE since IS NULL OR until <= $1 ORDER BY context, since NULLS FIRST",
    )
    .bind(horizon)
    .fetch_all(&mut *connection)
    .await?;
    let mut all = Vec::new();
    for (context, partition, since) in partitions {
        if let Some(since) = since {
            all.push(Due { context, partition, month: since.date_naive(), whole: true });
            continue;
        }
        let months: Vec<NaiveDate> = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT DISTINCT date_trunc('month', occurred_at AT TIME ZONE 'UTC')::date FROM {context}.{partition}
             WHERE occurred_at < date_trunc('month', $1 AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' ORDER BY 1"
        )))
        .bind(horizon)
        .fetch_all(&mut *connection)
        .await?;
        let due = |month| Due { context: context.clone(), partition: partition.clone(), month, whole: false };
        all.extend(months.into_iter().map(due));
    }
    Ok(all)
}

impl ArchiveOutboxes {
    /// Writes a month to a file; none if it has no rows, or some that are not published yet.
    async fn archive(&self, connection: &mut PgConnection, due: &Due) -> Result<Option<ArchiveFile>, JobError> {
        let waiting = format!("SELECT EXISTS (SELECT FROM {} AND published_at IS NULL)", due.rows());
        if sqlx::query_scalar(AssertSqlSafe(waiting)).fetch_one(&mut *connection).await? {
            tracing::warn!(due.context, %due.month, "a month that should go has rows that are not published; it stays");
            return Ok(None);
        }
        let sql = format!("SELECT {COLUMNS} FROM {} AND id > $1 ORDER BY id LIMIT {CHUNK}", due.rows());
        let mut writer = block_in_place(|| Writer::begin(&self.folder, &due.context, due.month))?;
        let mut after = i64::MIN;
        loop {
            let rows: Vec<ArchivedRow> =
                sqlx::query_as(AssertSqlSafe(sql.clone())).bind(after).fetch_all(&mut *connection).await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            block_in_place(|| rows.iter().try_for_each(|row| writer.push(row)))?;
        }
        let file = block_in_place(|| writer.finish())?;
        if let Some(file) = &file {
            tracing::info!(due.context, %due.month, rows = file.rows, bytes = file.bytes, "a month is archived");
        } else if due.whole {
            drop_empty(connection, due).await?;
        }
        Ok(file)
    }

    /// Takes the rows of a file out of the database.
    async fn let_go(
        &self,
        connection: &mut PgConnection,
        due: &Due,
        file: &ArchiveFile,
        now: Timestamp,
    ) -> Result<u64, JobError> {
        if !due.whole {
            let mut transaction = connection.begin().await?;
            keep_in_mind(&mut transaction, file, now, None).await?;
            transaction.commit().await?;
            return self.delete_what_is_in_files(connection).await;
        }
        let mut tries = 0;
        loop {
            match drop_partition(connection, due, file, now).await {
                Ok(dropped) => return dropped,
                Err(error) if database::is_lock_timeout(&error) && tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(TRY_AGAIN_AFTER).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Deletes the rows that are in files and still in a table: a step at a time, and what is published only.
    async fn delete_what_is_in_files(&self, connection: &mut PgConnection) -> Result<u64, JobError> {
        let files: Vec<ArchiveFile> = sqlx::query_as(
            "SELECT file, context, month, rows, first_id, last_id, bytes, sha256 FROM installation.archives
             WHERE dropped_at IS NULL AND restored_at IS NULL ORDER BY context, first_id",
        )
        .fetch_all(&mut *connection)
        .await?;
        let mut deleted = 0;
        for file in files {
            block_in_place(|| file.check(&self.folder))?;
            let mut ids = block_in_place(|| file.rows(&self.folder))?.map(|row| row.map(|row| row.id));
            loop {
                let step: Vec<i64> = block_in_place(|| ids.by_ref().take(STEP).collect::<Result<_, ArchiveError>>())?;
                if step.is_empty() {
                    break;
                }
                let sql =
                    format!("DELETE FROM {}.outbox WHERE id = ANY($1) AND published_at IS NOT NULL", file.context);
                deleted += sqlx::query(AssertSqlSafe(sql)).bind(step).execute(&mut *connection).await?.rows_affected();
            }
            let left = format!(
                "SELECT EXISTS (SELECT FROM {}.outbox WHERE id BETWEEN $2 AND $3 AND {})",
                file.context,
                of_month("$4::date")
            );
            let sql = format!("UPDATE installation.archives SET dropped_at = now() WHERE file = $1 AND NOT ({left})");
            sqlx::query(AssertSqlSafe(sql))
                .bind(&file.file)
                .bind(file.first_id)
                .bind(file.last_id)
                .bind(file.month)
                .execute(&mut *connection)
                .await?;
            tracing::info!(file.file, rows.deleted = deleted, "what is in a file is deleted");
        }
        Ok(deleted)
    }

    /// Says beside the files what they are.
    async fn tell(&self, connection: &mut PgConnection, context: &str) -> Result<(), JobError> {
        let files: Vec<ArchiveFile> = sqlx::query_as(
            "SELECT file, context, month, rows, first_id, last_id, bytes, sha256 FROM installation.archives
             WHERE context = $1 ORDER BY first_id",
        )
        .bind(context)
        .fetch_all(connection)
        .await?;
        Ok(block_in_place(|| write_manifest(&self.folder, context, &files))?)
    }
}

/// Names a file as one that a recovery needs. What an earlier recovery has taken back into the outbox is in this file again.
async fn keep_in_mind(
    connection: &mut PgConnection,
    file: &ArchiveFile,
    now: Timestamp,
    dropped_at: Option<Timestamp>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM installation.archives WHERE context = $1 AND month = $2 AND restored_at IS NOT NULL
         AND first_id >= $3 AND last_id <= $4",
    )
    .bind(&file.context)
    .bind(file.month)
    .bind(file.first_id)
    .bind(file.last_id)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO installation.archives (file, context, month, rows, first_id, last_id, bytes, sha256, archived_at, dropped_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (file) DO UPDATE SET dropped_at = excluded.dropped_at, restored_at = NULL",
    )
    .bind(&file.file)
    .bind(&file.context)
    .bind(file.month)
    .bind(file.rows)
    .bind(file.first_id)
    .bind(file.last_id)
    .bind(file.bytes)
    .bind(&file.sha256)
    .bind(now)
    .bind(dropped_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Drops the partition of a month, unless it holds anything that the file does not: the database looks, before it drops.
async fn drop_partition(
    connection: &mut PgConnection,
    due: &Due,
    file: &ArchiveFile,
    now: Timestamp,
) -> Result<Result<u64, JobError>, sqlx::Error> {
    let Due { context, partition, .. } = due;
    let mut transaction = connection.begin().await?;
    sqlx::query("SET LOCAL lock_timeout = '200ms'").execute(&mut *transaction).await?;
    keep_in_mind(&mut transaction, file, now, Some(now)).await?;
    if !drop_month(&mut transaction, due).await? {
        return Ok(Err(format!("{context}.{partition} has changed since {} was written; it stays", file.file).into()));
    }
    transaction.commit().await?;
    Ok(Ok(file.rows.unsigned_abs()))
}

/// Drops the partition of a month in which nothing happened.
async fn drop_empty(connection: &mut PgConnection, due: &Due) -> Result<(), sqlx::Error> {
    drop_month(connection, due).await.map(|_| ())
}

/// Has the database drop a partition that is empty or recorded as archived; gives whether it did.
async fn drop_month(connection: &mut PgConnection, due: &Due) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT installation.drop_month($1, $2)")
        .bind(&due.context)
        .bind(&due.partition)
        .fetch_one(connection)
        .await
}
