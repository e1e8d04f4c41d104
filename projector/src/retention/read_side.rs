//! What the read database lets go of by its age. Nothing here follows from the events, so a rebuild does not bring it back.

use crate::config::Config;
use schemas::{Days, Timestamp};
use service::jobs::{Job, JobFuture};
use sqlx::PgConnection;
use std::time::Duration;

/// Rows in one transaction: readers and projections must not notice.
const STEP: i64 = 500;

const SETTLED_DEAD_LETTERS: &str = "
    WITH gone AS (DELETE FROM dead_letters WHERE id = ANY(ARRAY(
           SELECT id FROM dead_letters WHERE state IN ('retried', 'discarded') AND updated_at < $1 ORDER BY updated_at LIMIT $2))
           RETURNING id),
         told AS (DELETE FROM dead_letter_history USING gone WHERE letter_id = gone.id)
    SELECT count(*) FROM gone";
const OPERATIONS: &str = "
    WITH gone AS (DELETE FROM operations WHERE id = ANY(ARRAY(
           SELECT id FROM operations WHERE at < $1 ORDER BY at LIMIT $2)) RETURNING id)
    SELECT count(*) FROM gone";
/// The newest is the one that holds, and those before it are the way back.
const INDEX_SWITCHES: &str = "
    WITH gone AS (DELETE FROM index_switches WHERE epoch = ANY(ARRAY(
           SELECT epoch FROM index_switches WHERE at < $1 AND epoch < (SELECT max(epoch) - 20 FROM index_switches)
           ORDER BY epoch LIMIT $2)) RETURNING epoch)
    SELECT count(*) FROM gone";
const PROBES: &str = "
    WITH gone AS (DELETE FROM probes WHERE id = ANY(ARRAY(
           SELECT id FROM probes WHERE at < $1 ORDER BY at LIMIT $2)) RETURNING id)
    SELECT count(*) FROM gone";
const RECONCILIATIONS: &str = "
    WITH gone AS (DELETE FROM reconciliations WHERE id = ANY(ARRAY(
           SELECT id FROM reconciliations WHERE at < $1 ORDER BY at LIMIT $2)) RETURNING id)
    SELECT count(*) FROM gone";
const TENANT_LAG: &str = "
    WITH gone AS (DELETE FROM tenant_lag WHERE ctid = ANY(ARRAY(
           SELECT ctid FROM tenant_lag WHERE updated_at < $1 ORDER BY updated_at LIMIT $2)) RETURNING tenant_id)
    SELECT count(*) FROM gone";
/// Of nodes that are gone; a writer that lives renews its rows every second.
const GENERATION_COPIES: &str = "
    WITH gone AS (DELETE FROM generation_copies WHERE ctid = ANY(ARRAY(
           SELECT ctid FROM generation_copies WHERE heartbeat_at < $1 LIMIT $2)) RETURNING node)
    SELECT count(*) FROM gone";

/// A job that deletes what is older than some days.
#[derive(Debug, Clone, Copy)]
pub struct Aged {
    name: &'static str,
    /// 0 for never.
    days: u32,
    /// Deletes up to `$2` rows from before `$1` and gives how many went.
    statement: &'static str,
}

/// The jobs, with the ages of the configuration.
#[must_use]
pub fn aged(config: &Config) -> Vec<Aged> {
    let report_days = config.report_retention_days;
    let job = |name, days, statement| Aged { name, days, statement };
    vec![
        job("dead_letters", config.dead_letter_retention_days, SETTLED_DEAD_LETTERS),
        job("operations", config.operation_retention_days, OPERATIONS),
        job("index_switches", config.operation_retention_days, INDEX_SWITCHES),
        job("probes", report_days, PROBES),
        job("reconciliations", report_days, RECONCILIATIONS),
        job("tenant_lag", report_days, TENANT_LAG),
        job("generation_copies", report_days, GENERATION_COPIES),
    ]
}

impl Job for Aged {
    fn name(&self) -> &'static str {
        self.name
    }

    fn every(&self) -> Duration {
        Duration::from_secs(60 * 60)
    }

    fn run<'a>(&'a self, connection: &'a mut PgConnection, now: Timestamp) -> JobFuture<'a> {
        Box::pin(async move {
            let Some(before) = now.checked_sub_days(Days::new(self.days.into())).filter(|_| self.days > 0) else {
                return Ok(0);
            };
            let mut deleted = 0;
            loop {
                let step: i64 =
                    sqlx::query_scalar(self.statement).bind(before).bind(STEP).fetch_one(&mut *connection).await?;
                deleted += step.unsigned_abs();
                if step < STEP {
                    return Ok(deleted);
                }
                tracing::info!(job.name = self.name, rows.deleted = deleted, "rows are let go");
            }
        })
    }
}
