//! A process as a line of a list: what the runner and staff need of it, whatever its types are.

use super::{
    Process,
    ask::{self, Asked},
    correlate::{Correlate, Correlations},
    metrics::ProcessMetrics,
    store::Claim,
    watched::Watched,
    work,
};
use crate::pipeline::{App, Done, Error, Failure, Scope};
use futures::future::BoxFuture;
use schemas::{Uuid, contexts::Context};
use std::sync::Arc;
use tokio::sync::Notify;

/// Does what staff ask of a process.
type Ask = for<'a> fn(&'a App, &'a Scope, Uuid, &'a Asked) -> BoxFuture<'a, Result<Done, Error>>;

/// A [`Process`].
#[derive(Clone, Copy)]
pub(crate) struct Registered {
    /// Its name.
    pub(crate) name: &'static str,
    /// The context that tells what becomes of it.
    pub(crate) context: Context,
    correlate: Correlate,
    work: for<'a> fn(&'a App, &'a Claim, &'a ProcessMetrics) -> BoxFuture<'a, Result<(), Failure>>,
    ask: Ask,
}

impl Registered {
    /// The line of a process.
    pub(crate) const fn of<P: Process>() -> Self {
        Self {
            name: P::NAME,
            context: P::CONTEXT,
            correlate: Correlate { name: P::NAME, reads: P::READS, of: P::correlate },
            work: |app, claim, metrics| Box::pin(work::work::<P>(app, claim, metrics)),
            ask: |app, scope, process, asked| Box::pin(ask::carry_out::<P>(app, scope, process, asked)),
        }
    }

    /// Lets a process that is claimed go on as far as it goes.
    pub(super) async fn work(&self, app: &App, claim: &Claim, metrics: &ProcessMetrics) -> Result<(), Failure> {
        (self.work)(app, claim, metrics).await
    }

    /// Does to a process what staff want.
    pub(super) async fn ask(&self, app: &App, scope: &Scope, process: Uuid, asked: &Asked) -> Result<Done, Error> {
        (self.ask)(app, scope, process, asked).await
    }
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registered").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All processes there are, and the signal that one was told something here.
#[derive(Debug, Clone)]
pub(crate) struct Processes {
    list: &'static [Registered],
    correlations: Correlations,
    pub(super) told: Arc<Notify>,
    /// Whom somebody waits for.
    pub(crate) watched: Watched,
}

impl Processes {
    /// Those of a list that is kept for good.
    pub(crate) fn new(list: &'static [Registered]) -> Self {
        let correlations: Vec<Correlate> = list.iter().map(|one| one.correlate).collect();
        Self {
            list,
            correlations: Correlations(correlations.leak()),
            told: Arc::default(),
            watched: Watched::default(),
        }
    }

    /// Which events they are told of.
    pub(crate) fn correlations(&self) -> Correlations {
        self.correlations
    }

    /// The process of a name.
    pub(super) fn named(&self, name: &str) -> Option<&'static Registered> {
        self.list.iter().find(|one| one.name == name)
    }

    /// Their names.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.list.iter().map(|one| one.name).collect()
    }

    /// Something was recorded of a context: whoever is told of it need not wait.
    pub(in crate::pipeline) fn wake(&self, context: Context) {
        if self.correlations.read(context) {
            self.told.notify_one();
        }
    }
}
