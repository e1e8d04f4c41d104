//! How many requests a shop may make a second. Administrators are not counted.

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use schemas::{
    ids::TenantId,
    problem::{Code, Problem},
};
use std::{num::NonZeroU32, sync::Arc};

/// So many seconds' worth may come at once.
const BURST: u32 = 2;

/// More than the shop may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

impl TooMany {
    /// As it is told.
    #[must_use]
    pub fn problem(self) -> Problem {
        Problem::new(Code::TooManyRequests).detail("the shop makes more requests a second than it may on this server")
    }
}

/// Counts the requests of each shop, in this process: a few bytes for each shop that is there.
#[derive(Debug, Clone)]
pub struct Rates(Option<Arc<DefaultKeyedRateLimiter<TenantId>>>);

impl Rates {
    /// So many a second for each shop; without a number, as many as come.
    #[must_use]
    pub fn of_shops(per_second: Option<NonZeroU32>) -> Self {
        Self(per_second.map(|rate| {
            let burst = NonZeroU32::new(BURST).map_or(rate, |burst| rate.saturating_mul(burst));
            Arc::new(RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst)))
        }))
    }

    /// Counts a request.
    ///
    /// # Errors
    /// [`TooMany`]; then it is not counted.
    pub fn take(&self, tenant: TenantId) -> Result<(), TooMany> {
        let Some(shops) = &self.0 else { return Ok(()) };
        shops.check_key(&tenant).map_err(|_| TooMany)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Uuid;

    #[test]
    fn a_shop_that_asks_too_much_is_refused_and_no_other() {
        let rates = Rates::of_shops(NonZeroU32::new(10));
        let [one, other] = [1, 2].map(|id| TenantId(Uuid::from_u128(id)));
        let taken = (0..100).filter(|_| rates.take(one).is_ok()).count();
        assert!((20..30).contains(&taken), "two seconds' worth at once: {taken}");
        assert_eq!(rates.take(other), Ok(()));
        assert_eq!(TooMany.problem().status, 429);
        let free = Rates::of_shops(None);
        assert!((0..100_000).all(|_| free.take(one).is_ok()));
    }
}
