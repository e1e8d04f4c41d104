//! Processes that are over: their states go once nothing is told of them any more, and so do prices that were offered.

use schemas::{TimeDelta, Timestamp};
use service::jobs::{Job, JobFuture};
use sqlx::PgConnection;
use std::time::Duration;

/// How long a process is known after it has ended: a payment that comes so late still finds it.
const KEPT: TimeDelta = TimeDelta::days(180);
/// How long one is known that was told something and never began.
const NEVER_BEGAN: TimeDelta = TimeDelta::days(1);
/// Rows of one step.
const STEP: u64 = 500;

/// Deletes what is over.
#[derive(Debug, Clone, Copy)]
pub struct ProcessesEnd;

impl Job for ProcessesEnd {
    fn name(&self) -> &'static str {
        "processes_end"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(10 * 60)
    }

    fn run<'a>(&'a self, connection: &'a mut PgConnection, now: Timestamp) -> JobFuture<'a> {
        Box::pin(async move {
            let mut deleted = 0;
            loop {
                // What a process was told and has not taken in keeps it.
                let step: i64 = sqlx::query_scalar(
                    "WITH gone AS (
                       DELETE FROM processes.processes AS p WHERE p.ctid = ANY(ARRAY(
                         SELECT q.ctid FROM processes.processes AS q
                         WHERE (q.ended_at < $1 OR (q.state IS NULL AND q.created_at < $2))
                           AND NOT EXISTS (SELECT FROM processes.triggers AS t
                             WHERE t.tenant_id = q.tenant_id AND t.name = q.name AND t.process_id = q.process_id)
                           AND NOT EXISTS (SELECT FROM processes.steps AS s
                             WHERE s.tenant_id = q.tenant_id AND s.name = q.name AND s.process_id = q.process_id)
                         LIMIT 500))
                       RETURNING p.tenant_id, p.name, p.process_id),
                     unlinked AS (
                       DELETE FROM processes.links AS l USING gone
                       WHERE l.tenant_id = gone.tenant_id AND l.name = gone.name AND l.process_id = gone.process_id),
                     untimed AS (
                       DELETE FROM processes.timers AS t USING gone
                       WHERE t.tenant_id = gone.tenant_id AND t.name = gone.name AND t.process_id = gone.process_id)
                     SELECT count(*) FROM gone",
                )
                .bind(now - KEPT)
                .bind(now - NEVER_BEGAN)
                .fetch_one(&mut *connection)
                .await?;
                deleted += step.unsigned_abs();
                if step.unsigned_abs() < STEP {
                    break;
                }
            }
            loop {
                let step = sqlx::query(
                    "DELETE FROM checkout.offers WHERE ctid = ANY(ARRAY(
                       SELECT ctid FROM checkout.offers WHERE expires_at < $1 LIMIT 500))",
                )
                .bind(now)
                .execute(&mut *connection)
                .await?
                .rows_affected();
                deleted += step;
                if step < STEP {
                    break;
                }
            }
            Ok(deleted)
        })
    }
}
