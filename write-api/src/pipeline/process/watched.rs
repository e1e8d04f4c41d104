//! Whoever waits for a process on this node is told when it rests. What another node does with it is seen by looking now and then.

use schemas::Uuid;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

type Register = HashMap<Uuid, (usize, Arc<Notify>)>;

/// The processes that somebody waits for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watched(Arc<Mutex<Register>>);

impl Watched {
    fn register(&self) -> MutexGuard<'_, Register> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a process from here on: what rests after this call is not missed.
    pub(crate) fn watch(&self, process: Uuid) -> Watch {
        let mut register = self.register();
        let (watches, rests) = register.entry(process).or_default();
        *watches += 1;
        Watch { watched: self.clone(), process, rests: Arc::clone(rests) }
    }

    /// A process rests: it waits for something, has ended, or is parked.
    pub(super) fn rests(&self, process: Uuid) {
        if let Some((_, rests)) = self.register().get(&process) {
            rests.notify_waiters();
        }
    }
}

/// Somebody waits for a process.
#[derive(Debug)]
pub(crate) struct Watch {
    watched: Watched,
    process: Uuid,
    rests: Arc<Notify>,
}

impl Watch {
    /// The next time that it rests. To be made before the process is looked at.
    pub(crate) fn rests(&self) -> tokio::sync::futures::Notified<'_> {
        self.rests.notified()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut register = self.watched.register();
        if let Some((watches, _)) = register.get_mut(&self.process) {
            *watches -= 1;
            if *watches == 0 {
                register.remove(&self.process);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn whoever_waits_is_told_and_nobody_is_kept_for_longer() {
        let (watched, [one, other]) = (Watched::default(), [Uuid::from_u128(1), Uuid::from_u128(2)]);
        let (first, second) = (watched.watch(one), watched.watch(one));
        let (mut told, mut told_too) = (Box::pin(first.rests()), Box::pin(second.rests()));
        // What is waited for counts from when it was made, polled or not.
        watched.rests(other);
        assert_eq!(told.as_mut().now_or_never(), None);
        watched.rests(one);
        assert_eq!((told.as_mut().now_or_never(), told_too.as_mut().now_or_never()), (Some(()), Some(())));
        drop((told, told_too));
        drop(first);
        assert_eq!(watched.register().len(), 1);
        drop(second);
        assert!(watched.register().is_empty());
    }
}
