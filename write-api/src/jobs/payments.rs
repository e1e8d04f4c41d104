//! Webhooks of payment providers that are old: what they spoke of was asked for long ago.

use schemas::{TimeDelta, Timestamp};
use service::jobs::{Job, JobFuture};
use sqlx::PgConnection;
use std::time::Duration;

/// Rows of one step.
const STEP: u64 = 2_000;
/// How long webhooks are kept, so that the same one is known again and can be looked at.
const KEPT: TimeDelta = TimeDelta::days(90);

/// Deletes webhooks that are old.
#[derive(Debug, Clone, Copy)]
pub struct WebhooksEnd;

impl Job for WebhooksEnd {
    fn name(&self) -> &'static str {
        "payment_webhooks"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(60 * 60)
    }

    fn run<'a>(&'a self, connection: &'a mut PgConnection, now: Timestamp) -> JobFuture<'a> {
        Box::pin(async move {
            let mut deleted = 0;
            loop {
                let step = sqlx::query(
                    "DELETE FROM payments.webhooks WHERE ctid = ANY(ARRAY(
                       SELECT ctid FROM payments.webhooks WHERE received_at < $1 LIMIT 2000))",
                )
                .bind(now - KEPT)
                .execute(&mut *connection)
                .await?
                .rows_affected();
                deleted += step;
                if step < STEP {
                    return Ok(deleted);
                }
            }
        })
    }
}
