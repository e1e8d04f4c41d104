//! Asking providers for what is not known yet: objects that webhooks speak of, calls that nobody has an answer to, and lists that are
//! compared with what the shops know. Any process of write-api does it; what one has taken, it has for a minute.

mod fetching;
mod reconciling;
mod resolving;

use crate::pipeline::{App, Audited, Error, Failure, Scope};
use schemas::ids::TenantId;
use service::{
    Metrics, RequestContext,
    metrics::prometheus_client::metrics::{counter::Counter, family::Family},
    shutdown::Shutdown,
};
use std::time::Duration;

/// How often is looked for work, besides when a webhook comes; and rounds with work begin no faster.
const LOOK: Duration = Duration::from_secs(2);
const ROUND: Duration = Duration::from_millis(500);

/// `souk_payment_work_total`: what became of what a provider was asked for later.
#[derive(Debug, Clone)]
pub(crate) struct Work(Family<Vec<(&'static str, &'static str)>, Counter>);

impl Work {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let work = Family::default();
        let help = "What payment providers were asked for later, by work and outcome";
        metrics.register(|registry| registry.register("payment_work", help, work.clone()));
        Self(work)
    }

    fn count(&self, work: &'static str, outcome: &'static str) {
        self.0.get_or_create(&vec![("work", work), ("outcome", outcome)]).inc();
    }
}

/// Does what is due until shutdown.
pub(crate) async fn run(app: App, work: Work, shutdown: Shutdown) {
    loop {
        let pause = match round(&app, &work).await {
            Ok(0) => LOOK,
            Ok(_) => ROUND,
            Err(error) => {
                tracing::warn!(?error, "payment providers can't be asked for what is due");
                LOOK
            }
        };
        tokio::select! {
            () = app.payments.told() => {}
            () = tokio::time::sleep(pause) => {}
            () = shutdown.wait() => return,
        }
    }
}

/// Does some of what is due; gives how much there was.
async fn round(app: &App, work: &Work) -> Result<usize, Error> {
    let fetched = fetching::round(app, work).await?;
    let resolved = resolving::round(app, work).await?;
    Ok(fetched + resolved + reconciling::round(app, work).await?)
}

/// For a shop, on nobody's request.
fn scope(app: &App, tenant: TenantId) -> Scope {
    let request = RequestContext { correlation_id: app.clock.id().to_string(), traceparent: None };
    app.scope(tenant, request, Audited::default())
}

/// What the database did not do ends a round; what was refused concerns one thing alone.
fn refused(error: Error) -> Result<String, Error> {
    match error {
        Error::Rejected(rejection) => {
            let problem = rejection.problem();
            Ok(problem.detail.clone().unwrap_or_else(|| problem.title.clone()))
        }
        Error::Failed(Failure::Unreadable(what, reason)) => Ok(format!("a stored {what} can't be read: {reason}")),
        error @ (Error::Failed(_) | Error::KeyReused) => Err(error),
    }
}
