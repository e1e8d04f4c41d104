//! How much at once bulk writes may take of this process.

use crate::config::BulkOptions;
use schemas::ids::TenantId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Bounds of bulk writes, and the places for them.
#[derive(Debug, Clone)]
pub(crate) struct BulkLimits {
    /// How many streams each shop has now; none without any.
    taken: Arc<Mutex<HashMap<TenantId, u32>>>,
    most: u32,
    /// The longest wait for the next piece of a body, and for answers to be read.
    pub(crate) gap: Duration,
    /// Most bytes of a stream that is one transaction.
    pub(crate) whole_bytes: u64,
}

/// The place of one stream; it is given back when it is dropped.
#[derive(Debug)]
pub(crate) struct BulkPlace {
    taken: Arc<Mutex<HashMap<TenantId, u32>>>,
    tenant: TenantId,
}

fn lock(taken: &Mutex<HashMap<TenantId, u32>>) -> MutexGuard<'_, HashMap<TenantId, u32>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for BulkPlace {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        if let Some(count) = taken.get_mut(&self.tenant) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.tenant);
            }
        }
    }
}

impl BulkLimits {
    /// By the settings. However many places are asked for, single commands keep a connection of `connections`.
    pub(crate) fn new(options: BulkOptions, connections: u32) -> Self {
        Self {
            taken: Arc::default(),
            most: options.bulk_streams.min(connections.saturating_sub(1)).max(1),
            gap: Duration::from_millis(options.bulk_gap_ms),
            whole_bytes: u64::from(options.bulk_spool_mib) << 20,
        }
    }

    /// A place for one stream of a shop, held until it is dropped; none if all are taken, or three quarters of them by
    /// this shop: its streams may stall, and then others still have room.
    pub(crate) fn place(&self, tenant: TenantId) -> Option<BulkPlace> {
        let mut taken = lock(&self.taken);
        let (all, own) = (taken.values().sum::<u32>(), taken.get(&tenant).copied().unwrap_or_default());
        if all >= self.most || own >= self.share() {
            return None;
        }
        taken.insert(tenant, own + 1);
        Some(BulkPlace { taken: Arc::clone(&self.taken), tenant })
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
        std::iter::from_fn(|| limits.place(TenantId(Uuid::from_u128(shop)))).collect()
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

    #[test]
    fn there_is_always_one() {
        assert_eq!(taken(&limits(1), 1).len(), 1);
    }
}
