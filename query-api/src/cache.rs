//! Answers kept for a moment. The key holds the version of the data, so that an answer can't outlive a
//! change or a switch of generation; the time to live bounds what is kept for nobody. What is kept is bounded in bytes,
//! and each tenant has a share of them.

mod shares;

use crate::changes::Change;
use schemas::ids::TenantId;
use serde::Serialize;
use service::metrics::prometheus_client::metrics::gauge::Gauge;
use shares::Shares;
use std::{
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio::sync::watch;

/// What an answer depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Whose data.
    pub tenant: TenantId,
    /// The route and its normalised parameters.
    pub request: String,
    /// The index generation, empty for views.
    pub generation: String,
    /// The version of the index or of the views.
    pub data_version: u64,
}

/// What knows how much memory it takes.
pub trait Weigh {
    /// Bytes, about.
    fn bytes(&self) -> usize;
}

/// What a value takes in memory that takes so many bytes as JSON, about: texts are as long there, and each has a length,
/// a capacity and an allocation of its own.
#[must_use]
pub fn bytes_by_json(value: &impl Serialize) -> usize {
    struct Counted(usize);
    impl Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counted = Counted(0);
    // What can't be written is not sent either.
    let _ = serde_json::to_writer(&mut counted, value);
    counted.0 * 2
}

/// Answers of one kind.
#[derive(Debug, Clone)]
pub struct Cache<T: Send + Sync + 'static> {
    kept: Arc<Mutex<Shares<T>>>,
    changes: watch::Receiver<Change>,
    held: Gauge,
}

impl<T: Weigh + Send + Sync + 'static> Cache<T> {
    /// An empty cache of so many bytes that follows the changes of the views and says how much it holds.
    #[must_use]
    pub fn new(bytes: usize, changes: watch::Receiver<Change>, held: Gauge) -> Self {
        Self { kept: Arc::new(Mutex::new(Shares::of(bytes))), changes, held }
    }

    /// The key of an answer from the views; none while changes are not heard.
    #[must_use]
    pub fn view_key(&self, tenant: TenantId, request: String) -> Option<Key> {
        let change = *self.changes.borrow();
        change.heard.then(|| Key { tenant, request, generation: String::new(), data_version: change.version })
    }

    /// A kept answer.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Arc<T>> {
        self.kept().get(key, Instant::now())
    }

    /// Keeps an answer.
    pub fn put(&self, key: Key, answer: Arc<T>) {
        let bytes = answer.bytes();
        let mut kept = self.kept();
        kept.put(key, answer, bytes, Instant::now());
        self.held.set(i64::try_from(kept.bytes()).unwrap_or(i64::MAX));
    }

    fn kept(&self) -> MutexGuard<'_, Shares<T>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
