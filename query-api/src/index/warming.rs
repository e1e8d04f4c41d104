//! The catalog statistics that the generation in use has are collected, in the background, for one that is about to
//! answer: otherwise the first search in each shop would wait for them.

use search::{background, reader::IndexHandle, statistics::StatisticsCache};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// A generation that is being prepared.
pub struct Warming {
    /// It.
    pub handle: IndexHandle,
    /// Its folder.
    pub inode: u64,
    done: Arc<AtomicBool>,
}

impl Warming {
    /// Begins to collect the catalog statistics of the tenants that others have.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start(handle: IndexHandle, inode: u64, others: &Arc<StatisticsCache>) -> io::Result<Self> {
        let tenants = others.tenants();
        let done = Arc::new(AtomicBool::new(tenants.is_empty()));
        if !tenants.is_empty() {
            let (snapshot, others, told) = (handle.snapshot(), Arc::clone(others), Arc::clone(&done));
            background::spawn_beside("warming", move || {
                for tenant in tenants {
                    if let Err(error) = snapshot.statistics.collect_like(&snapshot.segments, &others, tenant) {
                        tracing::warn!(%error, tenant.id = %tenant, "the statistics of a catalog can't be collected beforehand");
                    }
                }
                told.store(true, Ordering::Release);
            })?;
        }
        Ok(Self { handle, inode, done })
    }

    /// Whether all are collected.
    pub fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }
}
