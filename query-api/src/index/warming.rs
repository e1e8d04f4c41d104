//! A generation that is about to answer learns the shops that the one in use knows, in the background: otherwise the
//! first search in each would wait for that.

use search::{aside, learned::Learned, reader::IndexHandle};
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
    /// Begins to learn what the tenants sell that others know.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start(handle: IndexHandle, inode: u64, others: &Arc<Learned>) -> io::Result<Self> {
        let tenants = others.tenants();
        let done = Arc::new(AtomicBool::new(tenants.is_empty()));
        if !tenants.is_empty() {
            let (snapshot, others, told) = (handle.snapshot(), Arc::clone(others), Arc::clone(&done));
            aside::spawn_beside("warming", move || {
                for tenant in tenants {
                    if let Err(error) = snapshot.learned.learn_like(&snapshot, &others, tenant) {
                        tracing::warn!(%error, tenant.id = %tenant, "a catalog can't be learnt beforehand");
                    }
                }
                told.store(true, Ordering::Release);
            })?;
        }
        Ok(Self { handle, inode, done })
    }

    /// Whether all is learnt.
    pub fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }
}
