//! What every role of this process is given.

use crate::{config::Config, epochs::Epochs, metrics::Metrics, outboxes::Outboxes, status::Status};
use eventlog::{Log, log::FutureProducer};
use service::{Health, Supervisor, shutdown::Shutdown};
use std::sync::Arc;
use tokio::sync::Notify;

/// Any failure of a role; the sentence is for the log.
pub type RoleError = Box<dyn std::error::Error + Send + Sync>;

/// What every role needs.
#[derive(Clone)]
pub struct Deps {
    /// The settings.
    pub config: Arc<Config>,
    /// The log in the epoch that is in use.
    pub log: Log,
    /// What is counted.
    pub metrics: Metrics,
    /// How far each projection of this process is.
    pub status: Status,
    /// The one producer of this process: one connection, so that writes don't compete at the broker.
    pub producer: FutureProducer,
    /// What is ready.
    pub health: Health,
    /// Keeps the roles running.
    pub supervisor: Supervisor,
    /// Wakes the document relay when views have changed.
    pub documents_written: Arc<Notify>,
    /// The write database, as the relays of this process use it.
    pub outboxes: Outboxes,
    /// Which log is in use.
    pub epochs: Epochs,
    /// Ends everything.
    pub shutdown: Shutdown,
}

impl Deps {
    /// Says of a role that it is fit to lead, whether it does or waits for its turn: so a standby is ready, and a rolling
    /// update that waits for readiness goes on.
    pub fn is_fit(&self, role: &str) {
        self.health.set(role, true, "");
    }
}

impl std::fmt::Debug for Deps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deps").field("config", &self.config).field("log", &self.log).finish_non_exhaustive()
    }
}
