//! Orders that guests have made, once an account has proved their address.

use crate::{contexts::orders::process, pipeline::App};
use schemas::Timestamp;
use service::jobs::{Job, JobFuture};
use sqlx::PgConnection;
use std::time::Duration;

/// Gives the orders of guests to the accounts whose address they were made with.
#[derive(Debug, Clone)]
pub(crate) struct GuestOrdersClaimed {
    pub(crate) app: App,
}

impl Job for GuestOrdersClaimed {
    fn name(&self) -> &'static str {
        "guest_orders_claimed"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn run<'a>(&'a self, connection: &'a mut PgConnection, _: Timestamp) -> JobFuture<'a> {
        Box::pin(async move {
            let claimed = process::claim_due(&self.app, connection).await?;
            if claimed > 0 {
                tracing::info!(
                    job.name = self.name(),
                    orders.claimed = claimed,
                    "orders of guests are of accounts now"
                );
            }
            // None was deleted, which is what jobs count.
            Ok(0)
        })
    }
}
