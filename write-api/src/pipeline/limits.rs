//! How much at once bulk writes may take of this process.

use crate::config::BulkOptions;
use schemas::ids::TenantId;
use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, Semaphore},
    time::{Instant, timeout_at},
};

/// How long a stream waits for a place that others have.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bounds of bulk writes, and the places for them.
#[derive(Debug, Clone)]
pub(crate) struct BulkLimits {
    taken: Arc<Taken>,
    /// As many may wait as there are places.
    waiting: Arc<Semaphore>,
    most: u32,
    /// The longest wait for the next piece of a body, and for answers to be read.
    pub(crate) gap: Duration,
    /// Most bytes of a stream that is one transaction.
    pub(crate) whole_bytes: u64,
}

/// The places that are taken.
#[derive(Debug, Default)]
struct Taken {
    /// How many streams each shop has now; none without any.
    by_shop: Mutex<HashMap<TenantId, u32>>,
    given_back: Notify,
}

impl Taken {
    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, u32>> {
        self.by_shop.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one stream; it is given back when it is dropped.
#[derive(Debug)]
pub(crate) struct BulkPlace {
    taken: Arc<Taken>,
    tenant: TenantId,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Full {
    /// The shop has as many as one may have.
    Own,
    /// All are taken.
    All,
}

impl Drop for BulkPlace {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        if let Some(count) = taken.get_mut(&self.tenant) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.tenant);
            }
        }
        drop(taken);
        self.taken.given_back.notify_waiters();
    }
}

impl BulkLimits {
    /// By the settings. However many places are asked for, single commands keep a connection of `connections`.
    pub(crate) fn new(options: BulkOptions, connections: u32) -> Self {
        let most = options.bulk_streams.min(connections.saturating_sub(1)).max(1);
        Self {
            taken: Arc::default(),
            waiting: Arc::new(Semaphore::new(usize::try_from(most).unwrap_or(Semaphore::MAX_PERMITS))),
            most,
            gap: Duration::from_millis(options.bulk_gap_ms),
            whole_bytes: u64::from(options.bulk_spool_mib) << 20,
        }
    }

    /// A place for one stream of a shop, held until it is dropped; none if three quarters of them are this shop's: its
    /// streams may stall, and then others still have room. Where all are taken it waits some seconds for one.
    pub(crate) async fn place(&self, tenant: TenantId) -> Option<BulkPlace> {
        let deadline = Instant::now() + PATIENCE;
        let mut waits = None;
        loop {
            // From here on one that is given back is heard of.
            let mut given_back = pin!(self.taken.given_back.notified());
            given_back.as_mut().enable();
            match self.free(tenant) {
                Ok(place) => return Some(place),
                Err(Full::Own) => return None,
                Err(Full::All) if waits.is_none() => waits = Some(self.waiting.try_acquire().ok()?),
                Err(Full::All) => {}
            }
            timeout_at(deadline, given_back).await.ok()?;
        }
    }

    fn free(&self, tenant: TenantId) -> Result<BulkPlace, Full> {
        let mut taken = self.taken.lock();
        let (all, own) = (taken.values().sum::<u32>(), taken.get(&tenant).copied().unwrap_or_default());
        if own >= self.share() {
            return Err(Full::Own);
        }
        if all >= self.most {
            return Err(Full::All);
        }
        taken.insert(tenant, own + 1);
        Ok(BulkPlace { taken: Arc::clone(&self.taken), tenant })
    }

    fn share(&self) -> u32 {
        (self.most - self.most / 4).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Uuid;

    fn limits(bulk_streams: u32) -> BulkLimits {
        BulkLimits::new(BulkOptions { bulk_streams, bulk_gap_ms: 1, bulk_spool_mib: 1 }, 100)
    }

    fn taken(limits: &BulkLimits, shop: u128) -> Vec<BulkPlace> {
        std::iter::from_fn(|| limits.free(TenantId(Uuid::from_u128(shop))).ok()).collect()
    }

    #[test]
    fn one_shop_leaves_places_for_others() {
        let limits = limits(8);
        let own = taken(&limits, 1);
        let others = taken(&limits, 2);
        assert_eq!((own.len(), others.len()), (6, 2));
        drop(own);
        assert_eq!((taken(&limits, 2).len(), others.len()), (4, 2), "given back, and six of one shop at most");
    }

    #[tokio::test]
    async fn a_shop_waits_for_a_place_that_others_have_and_for_none_of_its_own() {
        let limits = limits(4);
        let shop = |number| TenantId(Uuid::from_u128(number));
        let (own, mut others) = (taken(&limits, 1), taken(&limits, 2));
        assert!(limits.place(shop(1)).await.is_none(), "at once");
        let waits = limits.place(shop(3));
        let given_back = async { drop(others.pop()) };
        let (place, ()) = tokio::join!(waits, given_back);
        assert!(place.is_some());
        assert_eq!(own.len(), 3);
    }

    #[test]
    fn there_is_always_one() {
        assert_eq!(taken(&limits(1), 1).len(), 1);
    }
}
