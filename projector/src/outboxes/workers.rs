//! A few connections that all relays of a process work with.

use eventlog::database::{self, Plans};
use sqlx::PgConnection;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Rounds and reports at once. What a context waits for is its turn, never another's backlog: a round has a bounded
/// number of rows.
const WORKERS: usize = 4;

/// A connection and how its statements are planned.
#[derive(Debug)]
pub struct Worker {
    /// The connection.
    pub connection: PgConnection,
    /// Its plans.
    pub plans: Plans,
    _turn: OwnedSemaphorePermit,
}

/// Connections that are made when they are needed and kept for the next.
#[derive(Clone)]
pub struct Workers {
    url: Arc<str>,
    turns: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<(PgConnection, Plans)>>>,
}

impl std::fmt::Debug for Workers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workers").field("turns", &self.turns.available_permits()).finish_non_exhaustive()
    }
}

impl Workers {
    pub(super) fn new(url: &str) -> Self {
        Self { url: url.into(), turns: Arc::new(Semaphore::new(WORKERS)), idle: Arc::default() }
    }

    /// A connection, as soon as one is free. It is kept for the next only by [`Self::back`]: one that failed is closed.
    ///
    /// # Errors
    /// The database's.
    pub async fn take(&self) -> Result<Worker, sqlx::Error> {
        // The semaphore is never closed.
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let (connection, plans) = match idle {
            Some(idle) => idle,
            None => (database::connect(&self.url).await?, Plans::default()),
        };
        Ok(Worker { connection, plans, _turn: turn })
    }

    /// Gives a connection back that works.
    pub fn back(&self, worker: Worker) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((worker.connection, worker.plans));
    }
}
