//! The end of idempotency keys.

use schemas::Timestamp;
use service::jobs::{Job, JobFuture};
use sqlx::{AssertSqlSafe, PgConnection};
use std::time::Duration;

/// Keys that end in one transaction.
const STEP: u64 = 2_000;

/// Deletes idempotency keys that are older than `age`: the same key then begins anew.
#[derive(Debug, Clone, Copy)]
pub struct KeysExpire {
    /// How long a key answers; a day at least, since that is what clients may count on.
    pub age: Duration,
}

impl Job for KeysExpire {
    fn name(&self) -> &'static str {
        "idempotency_keys"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(10 * 60)
    }

    fn run<'a>(&'a self, connection: &'a mut PgConnection, now: Timestamp) -> JobFuture<'a> {
        Box::pin(async move {
            let before = now - self.age;
            let mut deleted = 0;
            for context in super::contexts(connection).await? {
                loop {
                    let step = expire(connection, &context, before).await?;
                    deleted += step;
                    if step < STEP {
                        break;
                    }
                    tracing::info!(job.name = self.name(), context, rows.deleted = deleted, "keys are ending");
                }
            }
            Ok(deleted)
        })
    }
}

/// One step, the oldest first.
async fn expire(connection: &mut PgConnection, context: &str, before: Timestamp) -> Result<u64, sqlx::Error> {
    let sql = format!(
        "DELETE FROM {context}.idempotency_keys WHERE ctid = ANY(ARRAY(
           SELECT ctid FROM {context}.idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT {STEP}))"
    );
    Ok(sqlx::query(AssertSqlSafe(sql)).bind(before).execute(connection).await?.rows_affected())
}
