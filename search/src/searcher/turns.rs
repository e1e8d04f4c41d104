//! Turns at the index: so many searches work at the same time, so many more wait for their turn, and for so long. The
//! rest is told at once that there is too much.

use super::SearchError;
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much a searcher takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchLimits {
    /// Searches that work on the index at the same time; at least one.
    pub concurrency: usize,
    /// Searches that may wait for one of them to end.
    pub waiting: usize,
    /// How long one waits at most.
    pub patience: Duration,
}

impl SearchLimits {
    /// So many at the same time, with forty times as many waiting for two seconds at most.
    #[must_use]
    pub const fn of(concurrency: usize) -> Self {
        Self { concurrency, waiting: concurrency * 40, patience: Duration::from_secs(2) }
    }
}

/// The turns of one searcher; clones share them.
#[derive(Debug, Clone)]
pub(super) struct Turns {
    working: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    patience: Duration,
}

impl Turns {
    pub fn new(limits: SearchLimits) -> Self {
        Self {
            working: Arc::new(Semaphore::new(limits.concurrency.max(1))),
            waiting: Arc::new(Semaphore::new(limits.waiting)),
            patience: limits.patience,
        }
    }

    /// Waits for a turn.
    pub async fn take(&self) -> Result<OwnedSemaphorePermit, SearchError> {
        // Whoever waits is served before this can be had.
        if let Ok(turn) = Arc::clone(&self.working).try_acquire_owned() {
            return Ok(turn);
        }
        let _place = self.waiting.try_acquire().map_err(|_| SearchError::Busy)?;
        let turn = tokio::time::timeout(self.patience, Arc::clone(&self.working).acquire_owned()).await;
        turn.map_err(|_| SearchError::Busy)?.map_err(|error| SearchError::Broken(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_queue_that_is_full_refuses_and_one_that_stands_gives_up() {
        let limits = SearchLimits { concurrency: 1, waiting: 1, patience: Duration::from_millis(20) };
        let turns = Turns::new(limits);
        let turn = turns.take().await.expect("nobody is there");
        let (waits, refused) = tokio::join!(turns.take(), turns.take());
        assert!(matches!(refused, Err(SearchError::Busy)), "one may wait");
        assert!(matches!(waits, Err(SearchError::Busy)), "and not for ever");
        let (next, ()) = tokio::join!(turns.take(), async { drop(turn) });
        assert!(next.is_ok(), "when one ends, the next works");
    }
}
