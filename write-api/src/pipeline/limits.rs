//! How much at once bulk writes may take of this process.

use crate::config::BulkOptions;
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bounds of bulk writes, and the places for them.
#[derive(Debug, Clone)]
pub(crate) struct BulkLimits {
    places: Arc<Semaphore>,
    /// The longest wait for the next piece of a body, and for answers to be read.
    pub(crate) gap: Duration,
    /// Most bytes of a stream that is one transaction.
    pub(crate) whole_bytes: u64,
}

impl BulkLimits {
    /// By the settings. However many places are asked for, single commands keep a connection of `connections`.
    pub(crate) fn new(options: BulkOptions, connections: u32) -> Self {
        let places = options.bulk_streams.min(connections.saturating_sub(1)).max(1);
        Self {
            places: Arc::new(Semaphore::new(usize::try_from(places).unwrap_or(1))),
            gap: Duration::from_millis(options.bulk_gap_ms),
            whole_bytes: u64::from(options.bulk_spool_mib) << 20,
        }
    }

    /// A place for one stream, held until it is dropped; none if all are taken.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }
}
