//! The time that a search may take, over all of its steps.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How long a search may work on the index, in all of its steps together. What it waits for its turns does not count.
#[derive(Debug, Clone)]
pub struct Budget(Arc<AtomicU64>);

impl Budget {
    /// So long.
    #[must_use]
    pub fn of(time: Duration) -> Self {
        Self(Arc::new(AtomicU64::new(micros(time))))
    }

    /// When a step has to end that begins now.
    pub(crate) fn deadline(&self, now: Instant) -> Instant {
        now + Duration::from_micros(self.0.load(Ordering::Relaxed))
    }

    /// A step has taken so long.
    pub(crate) fn spend(&self, time: Duration) {
        // The steps of a search come one after the other.
        let left = self.0.load(Ordering::Relaxed).saturating_sub(micros(time));
        self.0.store(left, Ordering::Relaxed);
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_share_a_budget() {
        let (budget, now) = (Budget::of(Duration::from_secs(2)), Instant::now());
        budget.spend(Duration::from_millis(500));
        assert_eq!(budget.deadline(now), now + Duration::from_millis(1_500));
        budget.spend(Duration::from_secs(9));
        assert_eq!(budget.deadline(now), now);
    }
}
