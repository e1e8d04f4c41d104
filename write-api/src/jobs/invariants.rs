//! A look at what has to hold of orders, stock, money and promotions.

use invariants::ALL;
use schemas::Timestamp;
use service::{
    Metrics,
    jobs::{Job, JobFuture},
    metrics::prometheus_client::metrics::{family::Family, gauge::Gauge},
};
use sqlx::{Connection, PgConnection};
use std::{sync::atomic::AtomicI64, time::Duration};

type Labels = Vec<(&'static str, &'static str)>;

/// Counts what breaks each invariant, in one snapshot, and tells of it.
#[derive(Debug, Clone)]
pub(super) struct InvariantsChecked {
    offenders: Family<Labels, Gauge<i64, AtomicI64>>,
}

impl InvariantsChecked {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let offenders = Family::default();
        metrics.register(|registry| {
            let help = "What breaks each invariant of orders, stock, money and promotions, as of the last look";
            registry.register("invariant_offenders", help, Family::clone(&offenders));
        });
        Self { offenders }
    }
}

impl Job for InvariantsChecked {
    fn name(&self) -> &'static str {
        "invariants"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(10 * 60)
    }

    fn run<'a>(&'a self, connection: &'a mut PgConnection, _: Timestamp) -> JobFuture<'a> {
        Box::pin(async move {
            let mut snapshot = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
            for invariant in ALL {
                let found = invariant.look(&mut snapshot).await?;
                self.offenders.get_or_create(&vec![("invariant", invariant.key)]).set(found.count);
                if let Some(first) = found.first {
                    tracing::error!(
                        invariant = invariant.name,
                        offenders = found.count,
                        first,
                        "something does not hold"
                    );
                }
            }
            snapshot.rollback().await?;
            Ok(0)
        })
    }
}
