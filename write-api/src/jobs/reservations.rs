//! The end of reservations whose time is over.

use crate::{
    contexts::inventory::port::{self, HoldState},
    pipeline::{App, Audited, Error},
};
use futures::{StreamExt, stream};
use schemas::{
    Timestamp, Uuid,
    ids::{TenantId, VariantId},
};
use service::{
    RequestContext,
    jobs::{Job, JobError, JobFuture},
};
use sqlx::PgConnection;
use std::time::Duration;

/// Reservations that are looked up in one step.
const STEP: i64 = 1_000;
/// Such steps in one run: other jobs have their turn.
const STEPS: u32 = 50;
/// Reservations that wait to be ended at the same time. Those of one variant are decided together.
const AT_ONCE: usize = 256;

/// Ends what is held and over, so that others can buy it. What is pinned goes on. Each is ended by the same command as by
/// anybody else, which does nothing to one that is not over any more: the job may be done twice, and end anywhere.
#[derive(Debug, Clone)]
pub(crate) struct ReservationsExpire {
    pub(crate) app: App,
}

/// A reservation whose time is over.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
struct Due {
    tenant_id: Uuid,
    variant_id: Uuid,
    reservation_id: Uuid,
    expires_at: Timestamp,
}

impl Job for ReservationsExpire {
    fn name(&self) -> &'static str {
        "reservations"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn run<'a>(&'a self, connection: &'a mut PgConnection, now: Timestamp) -> JobFuture<'a> {
        Box::pin(async move {
            let (mut after, mut ended, mut failed) = ((Timestamp::UNIX_EPOCH, Uuid::nil(), Uuid::nil()), 0, 0);
            for _ in 0..STEPS {
                let due = due(connection, now, after).await?;
                let Some(last) = due.last() else { break };
                after = (last.expires_at, last.reservation_id, last.variant_id);
                let is_all = i64::try_from(due.len()).is_ok_and(|found| found < STEP);
                let ends = stream::iter(due).map(|due| self.end(due)).buffer_unordered(AT_ONCE);
                for was_ended in ends.collect::<Vec<_>>().await {
                    match was_ended {
                        Ok(true) => ended += 1,
                        Ok(false) => {}
                        Err(()) => failed += 1,
                    }
                }
                if is_all {
                    break;
                }
            }
            if ended > 0 {
                tracing::info!(job.name = self.name(), reservations.ended = ended, "reservations have expired");
            }
            if failed > 0 {
                return Err(JobError::from(format!("{failed} reservations that are over could not be ended")));
            }
            // None was deleted, which is what jobs count.
            Ok(0)
        })
    }
}

impl ReservationsExpire {
    /// Ends a reservation; gives whether it was held until now.
    async fn end(&self, due: Due) -> Result<bool, ()> {
        let request = RequestContext { correlation_id: self.app.clock.id().to_string(), traceparent: None };
        let scope = self.app.scope(TenantId(due.tenant_id), request, Audited::default());
        match port::expire(&self.app, &scope, due.reservation_id, VariantId(due.variant_id)).await {
            Ok(held) => Ok(held.state == HoldState::Expired),
            Err(Error::Rejected(rejection)) => {
                let code = rejection.problem().code.as_str();
                tracing::warn!(reservation.id = %due.reservation_id, shop.id = %due.tenant_id, code, "a reservation can't be ended");
                Err(())
            }
            Err(Error::KeyReused) => Err(()),
            Err(Error::Failed(failure)) => {
                tracing::warn!(reservation.id = %due.reservation_id, shop.id = %due.tenant_id, error = %failure, "a reservation can't be ended");
                Err(())
            }
        }
    }
}

/// What is over, after a place in the list, the longest first. Of shops that were deleted nothing is ended: it goes as it is.
async fn due(
    connection: &mut PgConnection,
    now: Timestamp,
    after: (Timestamp, Uuid, Uuid),
) -> Result<Vec<Due>, sqlx::Error> {
    sqlx::query_as(
        "SELECT DISTINCT tenant_id, variant_id, reservation_id, expires_at FROM inventory.reservations AS r
         WHERE state = 'held' AND NOT pinned AND expires_at <= $1 AND (expires_at, reservation_id, variant_id) > ($2, $3, $4)
           AND NOT EXISTS (SELECT FROM tenants.deleted AS d WHERE d.tenant_id = r.tenant_id)
         ORDER BY expires_at, reservation_id, variant_id LIMIT $5",
    )
    .bind(now)
    .bind(after.0)
    .bind(after.1)
    .bind(after.2)
    .bind(STEP)
    .fetch_all(connection)
    .await
}
