//! Carts that nobody touches.

use crate::{
    contexts::carts::process,
    pipeline::{App, Error},
};
use schemas::{TimeDelta, Timestamp};
use service::jobs::{Job, JobFuture};
use sqlx::PgConnection;
use std::time::Duration;

/// Ends carts that nobody has touched for so long. They are counted as commands, `expire_carts`.
#[derive(Debug, Clone)]
pub(crate) struct CartsExpire {
    pub(crate) app: App,
    pub(crate) age: TimeDelta,
}

impl Job for CartsExpire {
    fn name(&self) -> &'static str {
        "carts_expire"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(10 * 60)
    }

    fn run<'a>(&'a self, connection: &'a mut PgConnection, now: Timestamp) -> JobFuture<'a> {
        Box::pin(async move {
            let ended = process::expire(&self.app, connection, now - self.age).await.map_err(|error| match error {
                Error::Failed(failure) => failure.to_string(),
                Error::Rejected(rejection) => rejection.problem().title.clone(),
                Error::KeyReused => "a key came twice".to_owned(),
            })?;
            if ended > 0 {
                tracing::info!(job.name = self.name(), carts.ended = ended, "carts that nobody touches have ended");
            }
            // None was deleted, which is what jobs count.
            Ok(0)
        })
    }
}
