//! Answers kept for a moment. The key holds the version of the data, so that an answer can't outlive a
//! change, a switch of generation or a token; the time to live bounds what is kept for nobody.

use crate::changes::Change;
use moka::future::Cache as Moka;
use schemas::ids::TenantId;
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

const ENTRIES: u64 = 20_000;
const TIME_TO_LIVE: Duration = Duration::from_secs(30);

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

/// Answers of one kind.
#[derive(Debug, Clone)]
pub struct Cache<T: Send + Sync + 'static> {
    answers: Moka<Key, Arc<T>>,
    changes: watch::Receiver<Change>,
}

impl<T: Send + Sync + 'static> Cache<T> {
    /// An empty cache that follows the changes of the views.
    #[must_use]
    pub fn new(changes: watch::Receiver<Change>) -> Self {
        let answers = Moka::builder().max_capacity(ENTRIES).time_to_live(TIME_TO_LIVE).build();
        Self { answers, changes }
    }

    /// The key of an answer from the views; none while changes are not heard.
    #[must_use]
    pub fn view_key(&self, tenant: TenantId, request: String) -> Option<Key> {
        let change = *self.changes.borrow();
        change.heard.then(|| Key { tenant, request, generation: String::new(), data_version: change.version })
    }

    /// A kept answer.
    pub async fn get(&self, key: &Key) -> Option<Arc<T>> {
        self.answers.get(key).await
    }

    /// Keeps an answer.
    pub async fn put(&self, key: Key, answer: Arc<T>) {
        self.answers.insert(key, answer).await;
    }
}
