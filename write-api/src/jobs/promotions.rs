//! The end of promotions whose span is over.

use crate::{contexts::promotions::process, pipeline::App};
use schemas::Timestamp;
use service::jobs::{Job, JobFuture};
use sqlx::PgConnection;
use std::time::Duration;

/// Ends promotions whose span is over. Nothing counts by it: a promotion counts within its span alone. Views and figures agree
/// by it, and a shop has room for others.
#[derive(Debug, Clone)]
pub(crate) struct PromotionsEnd {
    pub(crate) app: App,
}

impl Job for PromotionsEnd {
    fn name(&self) -> &'static str {
        "promotions_end"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(30)
    }

    fn run<'a>(&'a self, connection: &'a mut PgConnection, now: Timestamp) -> JobFuture<'a> {
        Box::pin(async move {
            let ended = process::end_over(&self.app, connection, now).await?;
            if ended > 0 {
                tracing::info!(job.name = self.name(), promotions.ended = ended, "promotions have ended by their span");
            }
            // None was deleted, which is what jobs count.
            Ok(0)
        })
    }
}
