//! Products that are published and archived by themselves.

use crate::{contexts::catalog::process, pipeline::App};
use schemas::Timestamp;
use service::jobs::{Job, JobError, JobFuture};
use sqlx::PgConnection;
use std::time::Duration;

/// Publishes and archives products whose time has come.
#[derive(Debug, Clone)]
pub(crate) struct ProductSchedules {
    pub(crate) app: App,
}

impl Job for ProductSchedules {
    fn name(&self) -> &'static str {
        "product_schedules"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn run<'a>(&'a self, connection: &'a mut PgConnection, now: Timestamp) -> JobFuture<'a> {
        Box::pin(async move {
            let run = process::carry_out_schedules(&self.app, connection, now).await?;
            if run.done > 0 {
                tracing::info!(job.name = self.name(), products.done = run.done, "schedules of products were kept");
            }
            if run.failed > 0 {
                return Err(JobError::from(format!("the schedules of {} products could not be kept", run.failed)));
            }
            // None was deleted, which is what jobs count.
            Ok(0)
        })
    }
}
