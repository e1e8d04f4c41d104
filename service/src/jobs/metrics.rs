//! What is counted of jobs.

use super::JobError;
use crate::Metrics;
use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};
use schemas::Timestamp;

type Labels = [(&'static str, &'static str); 1];

/// `souk_job_runs_total`, `souk_job_failures_total`, `souk_job_deleted_rows_total` and
/// `souk_job_last_success_timestamp_seconds`, by the name of the job: one for all lists of a process.
#[derive(Debug, Clone, Default)]
pub struct JobMetrics {
    runs: Family<Labels, Counter>,
    failures: Family<Labels, Counter>,
    deleted: Family<Labels, Counter>,
    last_success: Family<Labels, Gauge>,
}

impl JobMetrics {
    /// Registers them.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        let own = Self::default();
        metrics.register(|registry| {
            registry.register("job_runs", "Runs of a job", own.runs.clone());
            registry.register("job_failures", "Runs of a job that failed", own.failures.clone());
            registry.register("job_deleted_rows", "Rows that a job has deleted", own.deleted.clone());
            let help = "When a job last went well, in any process; 0 for never";
            registry.register("job_last_success_timestamp_seconds", help, own.last_success.clone());
        });
        own
    }

    /// Begins all counts at 0: an increase from nothing is none. A job that never went well succeeded at 0.
    pub(super) fn expect(&self, job: &'static str) {
        for counter in [&self.runs, &self.failures, &self.deleted] {
            counter.get_or_create(&of(job)).inc_by(0);
        }
        self.last_success.get_or_create(&of(job)).set(0);
    }

    pub(super) fn ran(&self, job: &'static str, outcome: &Result<u64, JobError>) {
        self.runs.get_or_create(&of(job)).inc();
        match outcome {
            Ok(deleted) => self.deleted.get_or_create(&of(job)).inc_by(*deleted),
            Err(_) => self.failures.get_or_create(&of(job)).inc(),
        };
    }

    pub(super) fn succeeded(&self, job: &'static str, at: Option<Timestamp>) {
        self.last_success.get_or_create(&of(job)).set(at.map_or(0, |at| at.timestamp()));
    }
}

const fn of(job: &'static str) -> Labels {
    [("name", job)]
}
