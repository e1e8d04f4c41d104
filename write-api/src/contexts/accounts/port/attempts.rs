//! Signing in, again and again: who fails often waits, and nobody else does.
//!
//! What is counted are the failures for one account from one address, so that whoever guesses locks out themselves and not
//! the person, who comes from elsewhere. It is counted in each process, and forgotten after a while.

use moka::future::Cache;
use schemas::{TimeDelta, Timestamp, ids::TenantId};
use std::{net::IpAddr, time::Duration};

/// Failures that cost nothing.
const FREE: u32 = 5;
/// The longest delay, in seconds.
const LONGEST_S: u32 = 15 * 60;
/// How long failures are remembered.
const KEPT: Duration = Duration::from_secs(30 * 60);
/// Pairs of account and address that are remembered: memory is bounded, whoever sends made-up ones.
const MOST: u64 = 100_000;

/// For which account of which shop, and from where.
pub(in super::super) type Who = (TenantId, String, Option<IpAddr>);

/// Failures so far.
#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    next_at: Timestamp,
}

/// Failures of a while.
#[derive(Debug, Clone)]
pub(in super::super) struct Attempts(Cache<Who, Failures>);

impl Default for Attempts {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(KEPT).build())
    }
}

/// It is too early for another attempt; so many seconds are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct TooEarly(pub(in super::super) u32);

impl Attempts {
    /// Whether there may be an attempt now.
    ///
    /// # Errors
    /// [`TooEarly`]
    pub(in super::super) async fn check(&self, who: &Who, now: Timestamp) -> Result<(), TooEarly> {
        let Some(failures) = self.0.get(who).await.filter(|failures| failures.next_at > now) else { return Ok(()) };
        let left = (failures.next_at - now).num_milliseconds().max(0);
        Err(TooEarly(u32::try_from(left / 1_000 + 1).unwrap_or(LONGEST_S)))
    }

    /// Counts a failure: each after the fifth doubles the delay.
    pub(in super::super) async fn failed(&self, who: Who, now: Timestamp) {
        let count = self.0.get(&who).await.map_or(1, |failures| failures.count.saturating_add(1));
        let delay = count.checked_sub(FREE).map_or(0, |beyond| 2_u32.saturating_pow(beyond).min(LONGEST_S));
        self.0.insert(who, Failures { count, next_at: now + TimeDelta::seconds(i64::from(delay)) }).await;
    }

    /// Forgets what failed.
    pub(in super::super) async fn succeeded(&self, who: &Who) {
        self.0.invalidate(who).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::{Utc, Uuid};

    #[tokio::test]
    async fn who_fails_often_waits_longer_each_time_and_nobody_else_does() {
        let (attempts, now) = (Attempts::default(), Utc::now());
        let who =
            |account: &str, address: [u8; 4]| (TenantId(Uuid::nil()), account.to_owned(), Some(IpAddr::from(address)));
        let (guessing, person, other) = (who("a", [10, 0, 0, 1]), who("a", [10, 0, 0, 2]), who("b", [10, 0, 0, 1]));
        let mut delays = Vec::new();
        for _ in 0..8 {
            attempts.failed(guessing.clone(), now).await;
            delays.push(attempts.check(&guessing, now).await.err().map(|TooEarly(seconds)| seconds));
        }
        assert_eq!(delays, [None, None, None, None, Some(2), Some(3), Some(5), Some(9)]);
        assert_eq!(attempts.check(&guessing, now + TimeDelta::seconds(9)).await, Ok(()));
        for _ in 0..100 {
            attempts.failed(guessing.clone(), now).await;
        }
        assert_eq!(attempts.check(&guessing, now).await, Err(TooEarly(LONGEST_S + 1)));
        assert_eq!((attempts.check(&person, now).await, attempts.check(&other, now).await), (Ok(()), Ok(())));
        attempts.succeeded(&guessing).await;
        assert_eq!(attempts.check(&guessing, now).await, Ok(()));
    }
}
