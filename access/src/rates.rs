//! How many requests a shop, and each of those who ask, may make a second. Administrators are not counted.

use crate::caller::Caller;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use schemas::{
    Uuid,
    events::{access::KeyKind, tenants::Quotas},
    ids::TenantId,
    problem::{Code, Problem},
};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
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

/// Those who ask that are remembered; beyond, who has not asked for a while is forgotten.
const REMEMBERED: usize = 100_000;

/// As whom somebody who asks is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Counted {
    /// By a key that stands in no page.
    Key(Uuid),
    /// By an account.
    Account(TenantId, Uuid),
    /// By where they ask from: visitors, guests, who can have as many tokens as they like, and who has a key that stands in a
    /// page. Of IPv6, by the network of 64 bits.
    Address(IpAddr),
}

impl Counted {
    /// None for administrators, and where nobody knows where somebody asks from.
    fn of(caller: &Caller, address: Option<IpAddr>) -> Option<Self> {
        let from = || address.map(|address| Self::Address(network(address)));
        match caller {
            Caller::Admin => None,
            Caller::Key(key) if key.kind != KeyKind::Search => Some(Self::Key(key.id)),
            Caller::Customer(customer) => Some(Self::Account(customer.tenant, customer.user)),
            Caller::Member(_) if caller.is_admin() => None,
            Caller::Member(member) => Some(Self::Account(member.customer.tenant, member.customer.user)),
            Caller::Key(_)
            | Caller::Scoped(..)
            | Caller::Guest(_)
            | Caller::Anonymous
            | Caller::Newcomer
            | Caller::Visitor(_)
            | Caller::Unknown
            | Caller::Unavailable => from(),
        }
    }
}

/// Whoever has one address of a network of IPv6 has all of it.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

/// Counts the requests of each of those who ask, in this process.
#[derive(Debug, Clone, Default)]
pub struct CallerRates(Option<Arc<DefaultKeyedRateLimiter<Counted>>>);

impl CallerRates {
    /// So many a second for each; without a number, as many as come.
    #[must_use]
    pub fn new(per_second: Option<NonZeroU32>) -> Self {
        let burst = |rate: NonZeroU32| NonZeroU32::new(BURST).map_or(rate, |burst| rate.saturating_mul(burst));
        let limiter = |rate| RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst(rate)));
        Self(per_second.map(|rate| Arc::new(limiter(rate))))
    }

    /// Counts a request, from this address.
    ///
    /// # Errors
    /// As a problem; then it is not counted.
    pub fn take(&self, caller: &Caller, address: Option<IpAddr>) -> Result<(), Problem> {
        let (Some(limiter), Some(counted)) = (&self.0, Counted::of(caller, address)) else { return Ok(()) };
        // Memory is bounded, whoever makes addresses up.
        if limiter.len() > REMEMBERED {
            limiter.retain_recent();
        }
        limiter.check_key(&counted).map_err(|_| {
            let detail = match counted {
                Counted::Key(_) => "the key makes more requests a second than it may on this server",
                Counted::Account(..) => "the account makes more requests a second than it may on this server",
                Counted::Address(_) => "more requests a second come from this address than may on this server",
            };
            Problem::new(Code::TooManyRequests).detail(detail)
        })
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
    use crate::{customer::Customer, guest::Guest};

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
    fn who_asks_too_much_is_refused_and_nobody_else() {
        let rates = CallerRates::new(NonZeroU32::new(10));
        let [one, other]: [IpAddr; 2] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().expect("an address"));
        let taken =
            |caller: &Caller, address: IpAddr| (0..100).filter(|_| rates.take(caller, Some(address)).is_ok()).count();
        assert!((20..40).contains(&taken(&Caller::Anonymous, one)));
        assert_eq!(rates.take(&Caller::Unknown, Some(one)).expect_err("refused").status, 429);
        assert!(taken(&Caller::Visitor("lamps".into()), other) >= 20);
        assert_eq!(taken(&Caller::Admin, one), 100, "administrators are not counted");
        let customer = |user: u128| {
            let (tenant, session) = (TenantId(Uuid::nil()), Uuid::nil());
            Caller::Customer(Customer { tenant, user: Uuid::from_u128(user), session, is_strong: false })
        };
        assert!(taken(&customer(1), one) >= 20 && taken(&customer(2), one) >= 20, "whoever has signed in is known");
        let guest = |id: u128| Caller::Guest(Guest { tenant: TenantId(Uuid::nil()), id: Uuid::from_u128(id) });
        let third: IpAddr = "192.0.2.3".parse().expect("an address");
        assert!(taken(&guest(1), third) >= 20);
        assert!(taken(&guest(2), third) < 10, "another token is no other guest");
        assert!(CallerRates::default().take(&Caller::Anonymous, Some(one)).is_ok());
        // A network of IPv6 counts as one.
        let [near, also, far]: [IpAddr; 3] =
            ["2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1"].map(|text| text.parse().expect("an address"));
        assert_eq!(network(near), network(also));
        assert_ne!(network(near), network(far));
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
