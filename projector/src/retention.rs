//! What is let go of, and when: the jobs of the projector on both databases. The whole policy, table by table, stands in
//! `docs/guides/retention.md`.

mod outboxes;
mod read_side;
mod restore;

pub use outboxes::ArchiveOutboxes;
pub use read_side::{Aged, aged};
pub use restore::{check, restore};

use crate::config::{Config, Role};
use service::{
    jobs::{Job, JobMetrics, Jobs, system_time},
    shutdown::Shutdown,
};
use sqlx::postgres::PgConnectOptions;
use std::str::FromStr;
use tokio::task::JoinSet;

/// The group of the job that archives outboxes, which has to rest while an epoch begins.
const RELAY: &str = "relay";

/// The lock of that job: who holds it has the archive and the outboxes to itself.
pub const LOCK: &str = "souk:jobs:relay";

/// Starts the jobs that the roles of this process answer for.
///
/// # Errors
/// If a database's URL can't be understood.
pub fn start(
    config: &Config,
    metrics: &service::Metrics,
    shutdown: &Shutdown,
    tasks: &mut JoinSet<()>,
) -> Result<(), sqlx::Error> {
    let metrics = JobMetrics::new(metrics);
    let mut run = |group, url: &str, jobs: Vec<Box<dyn Job>>| -> Result<(), sqlx::Error> {
        let jobs = Jobs::new(group, PgConnectOptions::from_str(url)?, jobs, &metrics, system_time());
        tasks.spawn(jobs.run(shutdown.clone()));
        Ok(())
    };
    if config.relays() {
        let archive = ArchiveOutboxes { folder: config.archive_dir.clone(), days: config.outbox_retention_days };
        run(RELAY, &config.write_database_url, vec![Box::new(archive)])?;
    }
    if config.roles.contains(&Role::Views) {
        let jobs = aged(config).into_iter().map(|job| Box::new(job) as Box<dyn Job>).collect();
        run("views", &config.read_database_url, jobs)?;
    }
    Ok(())
}
