//! Partitions by month, made before anything is written to them: of outboxes, and of other tables that grow for ever.

use schemas::Timestamp;
use service::jobs::{Job, JobError, JobFuture};
use sqlx::PgConnection;
use std::time::Duration;

/// Months after the present one that there are partitions for.
pub const AHEAD: i32 = 2;

/// Makes the partitions of this month and the `AHEAD` after it. While they are missing, nothing fails: the
/// partition of last resort takes the rows, and this moves them where they belong.
#[derive(Debug, Clone, Copy)]
pub struct MonthsAhead;

impl Job for MonthsAhead {
    fn name(&self) -> &'static str {
        "outbox_months"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(60 * 60)
    }

    fn run<'a>(&'a self, connection: &'a mut PgConnection, now: Timestamp) -> JobFuture<'a> {
        Box::pin(async move {
            let mut busy = Vec::new();
            for context in super::contexts(connection).await? {
                for ahead in 0..=AHEAD {
                    match create(connection, &context, now, ahead).await {
                        Ok(()) => {}
                        // Others hold a lock for longer than anybody should wait behind us; they will be done.
                        Err(error) if is_lock_timeout(&error) => busy.push(format!("{context} + {ahead}")),
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            for (context, name) in tables(connection).await? {
                for ahead in 0..=AHEAD {
                    match create_of_table(connection, &context, &name, now, ahead).await {
                        Ok(()) => {}
                        Err(error) if is_lock_timeout(&error) => busy.push(format!("{context}.{name} + {ahead}")),
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            if busy.is_empty() {
                return Ok(0);
            }
            Err(JobError::from(format!("writers held a lock on the outboxes of {}", busy.join(", "))))
        })
    }
}

/// One month of one context, in a transaction of its own: its locks are let go of at once.
async fn create(connection: &mut PgConnection, context: &str, now: Timestamp, ahead: i32) -> Result<(), sqlx::Error> {
    let made: String = sqlx::query_scalar(
        "SELECT installation.create_month($1, (date_trunc('month', $2 AT TIME ZONE 'UTC') + $3 * interval '1 month')::date)",
    )
    .bind(context)
    .bind(now)
    .bind(ahead)
    .fetch_one(connection)
    .await?;
    tell(&made, context, ahead);
    Ok(())
}

/// The other tables in partitions by month, each with its context.
async fn tables(connection: &mut PgConnection) -> Result<Vec<(String, String)>, sqlx::Error> {
    sqlx::query_as("SELECT context, name FROM installation.month_tables ORDER BY context, name")
        .fetch_all(connection)
        .await
}

/// One month of one of these.
async fn create_of_table(
    connection: &mut PgConnection,
    context: &str,
    name: &str,
    now: Timestamp,
    ahead: i32,
) -> Result<(), sqlx::Error> {
    let made: String = sqlx::query_scalar(
        "SELECT installation.create_table_month($1, $2, (date_trunc('month', $3 AT TIME ZONE 'UTC') + $4 * interval '1 month')::date)",
    )
    .bind(context)
    .bind(name)
    .bind(now)
    .bind(ahead)
    .fetch_one(connection)
    .await?;
    tell(&made, &format!("{context}.{name}"), ahead);
    Ok(())
}

fn tell(made: &str, context: &str, ahead: i32) {
    match made {
        "made" => tracing::info!(context, months.ahead = ahead, "a partition for a month was made"),
        "held" => tracing::warn!(
            context,
            months.ahead = ahead,
            "too many rows of the month lie in the partition of last resort to be moved beside writers; they stay there"
        ),
        _ => {}
    }
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(told) if told.code().as_deref() == Some("55P03"))
}
