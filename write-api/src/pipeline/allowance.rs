//! What a shop may still have: its quotas, what was measured, and products that were counted a moment ago.
//!
//! Nothing here is a row that commands wait for. So a quota may be passed by what was begun at once; docs/guides/limits.md says
//! by how much.

use super::Rejection;
use access::shop::{FoundTenant, Usage};
use schemas::{
    events::tenants::Quotas,
    ids::TenantId,
    problem::{Code, Problem},
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

/// How long a count of products is good for at least.
const COUNTED_FOR: Duration = Duration::from_secs(5);
/// So many times as long as counting took it is good for: a large shop is not counted all the time.
const WORTH: u32 = 50;

/// What a shop may have, and what it has, as far as a process knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Allowance {
    pub(crate) quotas: Quotas,
    counts: Counts,
    usage: Option<Usage>,
    /// Products that were created, less those that were removed, and that stand once the transaction does.
    pending: Arc<AtomicI64>,
}

impl Allowance {
    /// Of a shop that was looked up.
    pub(super) fn of(found: &FoundTenant, counts: Counts) -> Self {
        Self { quotas: found.quotas, counts, usage: found.usage, pending: Arc::default() }
    }

    /// The same, in a transaction that goes on.
    pub(super) fn going_on(self, before: &Self) -> Self {
        Self { pending: Arc::clone(&before.pending), ..self }
    }

    /// The products of a shop as they were counted a moment ago, unless they have to be counted again.
    pub(crate) fn products(&self, tenant: TenantId, now: Instant) -> Option<u64> {
        Some(self.counts.known(tenant, now)?.saturating_add_signed(self.pending.load(Ordering::Relaxed)))
    }

    /// Keeps the products of a shop as a transaction has counted them, which sees what it has done itself.
    pub(crate) fn counted(&self, tenant: TenantId, products: u64, began: Instant) {
        let others = products.saturating_add_signed(self.pending.load(Ordering::Relaxed).saturating_neg());
        self.counts.keep(tenant, others, began, Instant::now());
    }

    /// Products were created, or removed.
    pub(crate) fn moved(&self, by: i64) {
        self.pending.fetch_add(by, Ordering::Relaxed);
    }

    /// The transaction stands.
    pub(super) fn stands(&self, tenant: TenantId) {
        self.counts.moved(tenant, self.pending.swap(0, Ordering::Relaxed));
    }

    /// What was done so far was rolled back.
    pub(super) fn begins(&self) {
        self.pending.store(0, Ordering::Relaxed);
    }

    /// Why nothing is created or enlarged, if the shop has all the storage that it may have.
    pub(crate) fn full(&self) -> Option<Rejection> {
        let (most, usage) = (self.quotas.storage_mib?, self.usage?);
        let bytes = most.saturating_mul(1 << 20);
        (usage.bytes >= bytes).then(|| {
            let measured_at = usage.measured_at.to_rfc3339();
            let detail = format!(
                "the quota `storage_mib` of the shop is {most} MiB ({bytes} bytes), and it had {} bytes at {measured_at}; \
                 what makes it smaller is taken",
                usage.bytes
            );
            Rejection::of(Problem::new(Code::QuotaExceeded).detail(detail))
        })
    }
}

/// Products of shops that have a quota of them, counted a moment ago, and what this process did since.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts(Arc<Mutex<HashMap<TenantId, Count>>>);

#[derive(Debug, Clone, Copy)]
struct Count {
    products: i64,
    good_until: Instant,
}

impl Counts {
    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The products of a shop, unless they have to be counted again.
    fn known(&self, tenant: TenantId, now: Instant) -> Option<u64> {
        let count = self.lock().get(&tenant).copied()?;
        (now < count.good_until).then(|| u64::try_from(count.products).unwrap_or_default())
    }

    /// Keeps what was counted since `began`.
    fn keep(&self, tenant: TenantId, products: u64, began: Instant, now: Instant) {
        let good_until = now + COUNTED_FOR.max(now.saturating_duration_since(began) * WORTH);
        let products = i64::try_from(products).unwrap_or(i64::MAX);
        self.lock().insert(tenant, Count { products, good_until });
    }

    /// What was done stands.
    fn moved(&self, tenant: TenantId, by: i64) {
        if let Some(count) = self.lock().get_mut(&tenant) {
            count.products = count.products.saturating_add(by);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::{Utc, Uuid};

    const SHOP: TenantId = TenantId(Uuid::nil());

    #[test]
    fn a_count_is_good_for_a_moment_and_follows_what_is_done_here() {
        let (counts, now) = (Counts::default(), Instant::now());
        assert_eq!(counts.known(SHOP, now), None);
        counts.moved(SHOP, 3);
        assert_eq!(counts.known(SHOP, now), None, "nothing was counted yet");
        counts.keep(SHOP, 7, now, now);
        counts.moved(SHOP, 3);
        counts.moved(SHOP, -1);
        assert_eq!(counts.known(SHOP, now), Some(9));
        assert_eq!(counts.known(SHOP, now + COUNTED_FOR), None);
        let slow = now + Duration::from_secs(1);
        counts.keep(SHOP, 7, now, slow);
        assert_eq!(counts.known(SHOP, slow + Duration::from_secs(49)), Some(7), "it took a second");
        assert_eq!(counts.known(TenantId(Uuid::max()), now), None);
    }

    #[test]
    fn what_does_not_stand_counts_for_its_own_transaction_alone() {
        let (one, now) = (Allowance::default(), Instant::now());
        let other = Allowance { counts: one.counts.clone(), ..Allowance::default() };
        one.counted(SHOP, 7, now);
        one.moved(3);
        assert_eq!((one.products(SHOP, now), other.products(SHOP, now)), (Some(10), Some(7)));
        one.counted(SHOP, 10, now);
        assert_eq!((one.products(SHOP, now), other.products(SHOP, now)), (Some(10), Some(7)), "it saw its own");
        one.begins();
        assert_eq!(one.products(SHOP, now), Some(7));
        one.moved(2);
        one.stands(SHOP);
        assert_eq!((one.products(SHOP, now), other.products(SHOP, now)), (Some(9), Some(9)));
    }

    #[test]
    fn a_shop_is_full_once_it_was_measured_so() {
        let full = |storage_mib, bytes: Option<u64>| {
            let usage = bytes.map(|bytes| Usage { products: 1, bytes, measured_at: Utc::now() });
            let quotas = Quotas { storage_mib, ..Quotas::default() };
            Allowance { quotas, usage, ..Allowance::default() }.full()
        };
        assert_eq!(full(Some(1), Some((1 << 20) - 1)), None);
        assert_eq!(
            (full(None, Some(u64::MAX)), full(Some(1), None), full(Some(u64::MAX), Some(1))),
            (None, None, None)
        );
        let refused = full(Some(1), Some(1 << 20)).expect("full");
        assert_eq!((refused.problem().status, refused.problem().code.as_str()), (403, "quota_exceeded"));
        assert!(refused.problem().detail.as_deref().is_some_and(|detail| detail.contains("`storage_mib`")));
    }
}
