//! What is kept, bounded in bytes, with a share for each tenant: a tenant that keeps more loses its own oldest first.

use super::Key;
use schemas::ids::TenantId;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

/// How long an answer is kept.
const TIME_TO_LIVE: Duration = Duration::from_secs(30);
/// A tenant has at most one of so many parts of the whole.
const SHARES: usize = 4;
/// What an entry takes beside its answer and the texts of its key, about.
const ENTRY_BYTES: usize = 300;

#[derive(Debug)]
struct Entry<T> {
    answer: Arc<T>,
    bytes: usize,
    made: Instant,
    /// Grows with each use of any entry.
    used: u64,
}

/// The entries of a tenant by use, the oldest first.
#[derive(Debug, Default)]
struct Share {
    bytes: usize,
    by_use: BTreeMap<u64, Arc<Key>>,
}

/// What is kept.
#[derive(Debug)]
pub struct Shares<T> {
    most: usize,
    bytes: usize,
    clock: u64,
    entries: HashMap<Arc<Key>, Entry<T>>,
    by_use: BTreeMap<u64, Arc<Key>>,
    tenants: HashMap<TenantId, Share>,
}

impl<T> Shares<T> {
    /// Nothing yet, and later so many bytes at most.
    pub fn of(most: usize) -> Self {
        let (entries, by_use, tenants) = (HashMap::new(), BTreeMap::new(), HashMap::new());
        Self { most, bytes: 0, clock: 0, entries, by_use, tenants }
    }

    /// Bytes of what is kept.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// What is kept under a key, if it is not too old; it is used now.
    pub fn get(&mut self, key: &Key, now: Instant) -> Option<Arc<T>> {
        if self.entries.get(key)?.made + TIME_TO_LIVE <= now {
            self.remove(key);
            return None;
        }
        self.clock += 1;
        let entry = self.entries.get_mut(key)?;
        let before = std::mem::replace(&mut entry.used, self.clock);
        let own = self.by_use.remove(&before)?;
        if let Some(share) = self.tenants.get_mut(&key.tenant) {
            share.by_use.remove(&before);
            share.by_use.insert(self.clock, Arc::clone(&own));
        }
        self.by_use.insert(self.clock, own);
        Some(Arc::clone(&entry.answer))
    }

    /// Keeps an answer of so many bytes. One that is larger than a tenant's share is not kept.
    pub fn put(&mut self, key: Key, answer: Arc<T>, bytes: usize, now: Instant) {
        let bytes = bytes + key.request.len() + key.generation.len() + ENTRY_BYTES;
        self.remove(&key);
        let share = self.most / SHARES;
        if bytes > share {
            return;
        }
        while self.tenants.get(&key.tenant).is_some_and(|own| own.bytes + bytes > share) {
            self.forget_oldest_of(key.tenant);
        }
        self.forget_old(now);
        while self.bytes + bytes > self.most {
            self.forget_oldest();
        }
        self.clock += 1;
        let (used, key) = (self.clock, Arc::new(key));
        let own = self.tenants.entry(key.tenant).or_default();
        own.bytes += bytes;
        own.by_use.insert(used, Arc::clone(&key));
        self.bytes += bytes;
        self.by_use.insert(used, Arc::clone(&key));
        self.entries.insert(key, Entry { answer, bytes, made: now, used });
    }

    /// Forgets what nobody may have any more, as far as it was not used since.
    fn forget_old(&mut self, now: Instant) {
        while let Some(oldest) = self.by_use.values().next() {
            if self.entries.get(oldest).is_some_and(|entry| entry.made + TIME_TO_LIVE > now) {
                return;
            }
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.by_use.values().next().cloned() {
            self.remove(&oldest);
        }
    }

    fn forget_oldest_of(&mut self, tenant: TenantId) {
        let oldest = self.tenants.get(&tenant).and_then(|own| own.by_use.values().next()).cloned();
        match oldest {
            Some(oldest) => self.remove(&oldest),
            None => drop(self.tenants.remove(&tenant)),
        }
    }

    fn remove(&mut self, key: &Key) {
        let Some(Entry { bytes, used, .. }) = self.entries.remove(key) else { return };
        self.bytes -= bytes;
        self.by_use.remove(&used);
        if let Some(own) = self.tenants.get_mut(&key.tenant) {
            own.bytes -= bytes;
            own.by_use.remove(&used);
            if own.by_use.is_empty() {
                self.tenants.remove(&key.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use schemas::Uuid;

    fn key(tenant: u128, number: usize) -> Key {
        let tenant = TenantId(Uuid::from_u128(tenant));
        Key { tenant, request: number.to_string(), generation: String::new(), data_version: 1 }
    }

    #[test]
    fn a_tenant_that_asks_for_much_forgets_its_own() {
        let (mut kept, now) = (Shares::of(400_000), Instant::now());
        kept.put(key(1, 0), Arc::new(0), 1_000, now);
        for number in 0..1_000 {
            kept.put(key(2, number), Arc::new(number), 1_000, now);
            assert!(number == 0 || kept.get(&key(2, 0), now).is_some(), "what is used stays: {number}");
        }
        assert_eq!(kept.get(&key(1, 0), now).as_deref(), Some(&0), "the other shop's was there before all of them");
        assert_eq!(kept.get(&key(2, 999), now).as_deref(), Some(&999));
        assert_eq!(kept.get(&key(2, 1), now), None);
        assert!((90_000..=102_000).contains(&kept.bytes()), "a quarter and one more: {}", kept.bytes());
    }

    #[test]
    fn what_is_large_is_not_kept_and_what_is_old_is_not_given() {
        let (mut kept, now) = (Shares::of(400_000), Instant::now());
        kept.put(key(1, 0), Arc::new(0), 100_000, now);
        assert_eq!((kept.get(&key(1, 0), now), kept.bytes()), (None, 0));
        kept.put(key(1, 1), Arc::new(1), 10, now);
        assert_eq!(kept.get(&key(1, 1), now + TIME_TO_LIVE), None);
        assert_eq!(kept.bytes(), 0);
    }

    proptest! {
        #[test]
        fn it_never_holds_more_than_it_may(uses in proptest::collection::vec((1_u128..6, 0_usize..20, 0_usize..3_000, any::<bool>()), 0..400)) {
            let (mut kept, now) = (Shares::of(20_000), Instant::now());
            for (tenant, number, bytes, is_read) in uses {
                if is_read {
                    let _ = kept.get(&key(tenant, number), now);
                } else {
                    kept.put(key(tenant, number), Arc::new(number), bytes, now);
                }
                let sum: usize = kept.entries.values().map(|entry| entry.bytes).sum();
                prop_assert_eq!(sum, kept.bytes());
                prop_assert!(sum <= 20_000);
                prop_assert!(kept.tenants.values().all(|own| own.bytes <= 5_000 && !own.by_use.is_empty()));
                prop_assert_eq!(kept.by_use.len(), kept.entries.len());
            }
        }
    }
}
