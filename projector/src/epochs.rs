//! What one process knows of the epochs of the log. How one is found, begun and followed is in [`crate::log_epoch`].

use eventlog::{
    Epoch, Log,
    log::{self, FutureProducer, KafkaError},
};
use std::sync::Arc;
use tokio::{
    sync::{Mutex, MutexGuard, watch},
    time::Instant,
};

/// Which epoch this process works in, and the producer for it.
#[derive(Clone)]
pub struct Epochs {
    /// The name of the epoch in use; none while one is being begun.
    in_use: Arc<watch::Sender<Option<String>>>,
    state: Arc<Mutex<State>>,
}

impl std::fmt::Debug for Epochs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Epochs").field("in_use", &*self.in_use.borrow()).finish_non_exhaustive()
    }
}

/// What was found out last.
pub struct State {
    /// The epoch whose log was found whole, and when.
    pub examined: Option<(Instant, Epoch)>,
    /// With the name of the epoch it is for.
    producer: (String, FutureProducer),
}

impl State {
    /// The producer for a log's epoch, and whether the epoch is another than before.
    ///
    /// # Errors
    /// The client's.
    pub fn producer(&mut self, log: &Log) -> Result<(FutureProducer, bool), KafkaError> {
        let moved = self.producer.0 != log.epoch.name;
        if moved || log::is_broken(&self.producer.1) {
            // A producer's number is the broker's; one that lost its log may give the same number to another.
            self.producer = (log.epoch.name.clone(), log.producer()?);
        }
        Ok((self.producer.1.clone(), moved))
    }
}

impl Epochs {
    /// Before anything is known; the producer is used for the first epoch.
    #[must_use]
    pub fn new(producer: FutureProducer) -> Self {
        let state = State { examined: None, producer: (String::new(), producer) };
        Self { in_use: Arc::new(watch::Sender::new(None)), state: Arc::new(Mutex::new(state)) }
    }

    /// What was found out last, for one role at a time.
    pub async fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().await
    }

    /// Tells the roles which epoch is in use; what they know already wakes nobody.
    pub fn tell(&self, name: Option<String>) {
        self.in_use.send_if_modified(|known| {
            let differs = *known != name;
            *known = name;
            differs
        });
    }

    /// Waits until another epoch is in use than this one, or none.
    pub async fn moved_from(&self, name: &str) {
        let mut in_use = self.in_use.subscribe();
        // It ends only with the process.
        let _ = in_use.wait_for(|now| now.as_deref() != Some(name)).await;
    }
}
