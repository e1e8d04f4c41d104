//! The background jobs: the reconciler compares samples of the read models with their sources, the probe measures, what
//! surfaces say of availability is compared, and what was put before shoppers is watched.

use super::{options::Args, watches};
use crate::{availability, context::CommandContext, probe, reconcile};
use service::{
    Supervisor,
    metrics::{
        Metrics,
        prometheus_client::{
            encoding::EncodeLabelSet,
            metrics::{counter::Counter, family::Family},
        },
    },
    shutdown::Shutdown,
};
use sqlx::PgPool;
use std::time::Duration;

/// A step of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfHop {
    hop: &'static str,
}

#[derive(Debug, Clone, Default)]
struct Counted {
    checked: Family<OfHop, Counter>,
    wrong: Family<OfHop, Counter>,
    mended: Family<OfHop, Counter>,
    failed: Counter,
}

/// Starts the jobs; they end with the process. Without the write database, what follows from it alone is left out.
pub fn start(
    context: &CommandContext,
    write: Option<&PgPool>,
    args: &Args,
    registry: &Metrics,
    supervisor: &Supervisor,
    shutdown: &Shutdown,
) {
    let counted = Counted::default();
    registry.register(|r| {
        r.register("reconcile_checked", "Compared by the reconciler", counted.checked.clone());
        r.register("reconcile_wrong", "Different from the step before", counted.wrong.clone());
        r.register("reconcile_mended", "Sent through the pipeline again", counted.mended.clone());
        r.register("reconcile_failures", "Reconciliations that could not be done", counted.failed.clone());
    });
    if args.probe.probe_interval_ms > 0 {
        let metrics = probe::Metrics::new(registry);
        supervisor.spawn("probe", probe::run(context.acting("probe"), args.probe.clone(), metrics, shutdown.clone()));
    }
    if args.availability.availability_seconds > 0 {
        let (context, write) = (context.acting("availability"), write.cloned());
        let metrics = availability::Metrics::new(registry);
        let compared = availability::run(context, write, args.availability.clone(), metrics, shutdown.clone());
        supervisor.spawn("availability", compared);
    }
    supervisor.spawn("watches", watches::look_after(context.acting("watch")));
    if args.reconcile_seconds > 0 {
        supervisor.spawn("reconciler", reconcile_for_ever(context.acting("reconciler"), args.clone(), counted));
    }
}

async fn reconcile_for_ever(context: CommandContext, args: Args, counted: Counted) {
    let mut ticks = tokio::time::interval(pause(args.reconcile_seconds));
    // The first tick is at once, while everything else is starting.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        match reconcile::run(&context, &args.reconcile).await {
            Ok(report) => {
                for (hop, found) in &report.hops {
                    let of = OfHop { hop };
                    counted.checked.get_or_create(&of).inc_by(found.checked);
                    counted.wrong.get_or_create(&of).inc_by(found.wrong);
                    counted.mended.get_or_create(&of).inc_by(found.mended);
                }
                let (checked, wrong, mended) = report.totals();
                if wrong > 0 {
                    tracing::warn!(checked, wrong, mended, "the read models differed from their sources");
                }
            }
            Err(error) => {
                counted.failed.inc();
                tracing::warn!(%error, "the read models could not be compared");
            }
        }
    }
}

/// The pause between two looks of a background job, at least.
const fn pause(seconds: u64) -> Duration {
    Duration::from_secs(if seconds == 0 { 1 } else { seconds })
}
