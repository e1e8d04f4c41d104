//! How many requests a shop may make a second. Administrators are not counted.

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use schemas::{
    events::tenants::Quotas,
    ids::TenantId,
    problem::{Code, Problem},
};
use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, PoisonError, RwLock},
};

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

type Limiter = Arc<DefaultKeyedRateLimiter<TenantId>>;

/// Counts the requests of each shop, in this process: a few bytes for each shop that is there. Shops with the same quota share
/// a limiter, so there are as many as there are different quotas.
#[derive(Debug, Clone)]
pub struct Rates {
    /// For shops without a quota of their own; as many as come without one.
    installation: Option<Limiter>,
    /// Which of a shop's quotas it is.
    own: fn(&Quotas) -> Option<u32>,
    by_quota: Arc<RwLock<HashMap<NonZeroU32, Limiter>>>,
}

impl Rates {
    /// So many a second for each shop whose quotas don't say otherwise; without a number, as many as come.
    #[must_use]
    pub fn of_shops(per_second: Option<NonZeroU32>, own: fn(&Quotas) -> Option<u32>) -> Self {
        Self { installation: per_second.map(limiter), own, by_quota: Arc::default() }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// [`TooMany`]; then it is not counted.
    pub fn take(&self, tenant: TenantId, quotas: &Quotas) -> Result<(), TooMany> {
        let own = (self.own)(quotas).and_then(NonZeroU32::new).map(|rate| self.of_quota(rate));
        let Some(shops) = own.as_ref().or(self.installation.as_ref()) else { return Ok(()) };
        shops.check_key(&tenant).map_err(|_| TooMany)
    }

    fn of_quota(&self, rate: NonZeroU32) -> Limiter {
        let known = self.by_quota.read().unwrap_or_else(PoisonError::into_inner).get(&rate).cloned();
        known.unwrap_or_else(|| {
            let mut by_quota = self.by_quota.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(by_quota.entry(rate).or_insert_with(|| limiter(rate)))
        })
    }
}

fn limiter(rate: NonZeroU32) -> Limiter {
    let burst = NonZeroU32::new(BURST).map_or(rate, |burst| rate.saturating_mul(burst));
    Arc::new(RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Uuid;

    fn rates(per_second: u32) -> Rates {
        Rates::of_shops(NonZeroU32::new(per_second), |quotas| quotas.reads_per_second)
    }

    fn taken(rates: &Rates, shop: u128, quotas: &Quotas) -> usize {
        (0..1_000).filter(|_| rates.take(TenantId(Uuid::from_u128(shop)), quotas).is_ok()).count()
    }

    #[test]
    fn a_shop_that_asks_too_much_is_refused_and_no_other() {
        let (rates, none) = (rates(100), Quotas::default());
        assert!((200..400).contains(&taken(&rates, 1, &none)), "two seconds' worth at once");
        assert!(taken(&rates, 2, &none) > 0);
        assert_eq!(TooMany.problem().status, 429);
        assert_eq!(taken(&self::rates(0), 1, &none), 1_000);
    }

    #[test]
    fn a_quota_goes_before_the_setting_of_the_installation() {
        let rates = rates(100);
        let quotas =
            |reads| Quotas { reads_per_second: Some(reads), commands_per_second: Some(1), ..Quotas::default() };
        assert!((20..40).contains(&taken(&rates, 1, &quotas(10))));
        // A shop that was at its end goes on at once when it may more.
        assert!((400..900).contains(&taken(&rates, 1, &quotas(200))));
        assert!((20..40).contains(&taken(&rates, 2, &quotas(10))), "shops with one quota are counted apart");
        assert!((20..40).contains(&taken(&self::rates(0), 1, &quotas(10))), "also where the installation has none");
    }
}
