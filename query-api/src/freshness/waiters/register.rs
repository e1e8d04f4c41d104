//! What is waited for, and by whom.

use super::{WaitLimits, Wanted};
use schemas::ids::TenantId;
use std::collections::{HashMap, VecDeque, hash_map::Entry};
use tokio::{sync::watch, time::Instant};

/// Most aggregates of a read that goes before those that name more: what a click waits for does not stand behind an
/// import.
const FEW: usize = 16;

/// What has been waited for in vain for some time is looked for again after this part of it: most arrives within a tenth of a
/// second, and made-up tokens name what never comes.
const PART: u32 = 8;

/// What is known of a read that waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Aggregates that were never looked for since it came.
    pub unseen: usize,
    /// Aggregates whose version has not arrived.
    pub left: usize,
    /// Why the first look failed.
    pub failed: Option<String>,
}

/// An aggregate that somebody waits for.
#[derive(Debug, Default)]
struct Watched {
    /// The version that the views have, as far as is known.
    version: u64,
    /// Whether it stands in one of the queues.
    is_due: bool,
    /// When somebody last began to wait for it, and when it was last looked for.
    since: Option<Instant>,
    looked: Option<Instant>,
    /// The reads that wait for it: which, and for what version.
    reads: Vec<Waits>,
}

impl Watched {
    /// From when on it is worth another look.
    fn rests_until(&self) -> Option<Instant> {
        let (since, looked) = (self.since?, self.looked?);
        Some(looked + looked.duration_since(since) / PART)
    }
}

#[derive(Debug)]
struct Waits {
    read: u64,
    version: u64,
    is_seen: bool,
}

#[derive(Debug)]
struct Waiter {
    wanted: Vec<(Wanted, u64)>,
    known: watch::Sender<Known>,
}

/// The register.
#[derive(Debug, Default)]
pub struct Register {
    next: u64,
    waiters: HashMap<u64, Waiter>,
    watched: HashMap<Wanted, Watched>,
    /// What is to be looked for: first what reads with few aggregates wait for, then the rest.
    few: VecDeque<Wanted>,
    many: VecDeque<Wanted>,
    /// Reads and the aggregates that they name, by tenant.
    places: HashMap<TenantId, (usize, usize)>,
    reads: usize,
}

impl Register {
    /// Takes a place, if there is one.
    pub fn enter(&mut self, tenant: TenantId, aggregates: usize, limits: &WaitLimits) -> bool {
        let (reads, named) = self.places.get(&tenant).copied().unwrap_or_default();
        // Whoever is alone may name as many as a token holds.
        let is_free = self.reads < limits.reads
            && reads < limits.reads_of_tenant
            && (reads == 0 || named + aggregates <= limits.aggregates_of_tenant);
        if is_free {
            self.reads += 1;
            self.places.insert(tenant, (reads + 1, named + aggregates));
        }
        is_free
    }

    /// Gives a place back.
    pub fn leave(&mut self, tenant: TenantId, aggregates: usize) {
        self.reads -= 1;
        if let Entry::Occupied(mut place) = self.places.entry(tenant) {
            let (reads, named) = place.get_mut();
            (*reads, *named) = (*reads - 1, *named - aggregates);
            if *reads == 0 {
                place.remove();
            }
        }
    }

    /// How many have a place.
    pub const fn reads(&self) -> usize {
        self.reads
    }

    /// Whether somebody waits.
    pub fn is_waited(&self) -> bool {
        !self.waiters.is_empty()
    }

    /// A read that waits from now on.
    pub fn add(&mut self, wanted: Vec<(Wanted, u64)>, now: Instant) -> (u64, watch::Receiver<Known>) {
        self.next += 1;
        let is_brief = wanted.len() <= FEW;
        let mut left = 0;
        for (wanted, version) in &wanted {
            let watched = self.watched.entry(wanted.clone()).or_default();
            // Somebody else's wait has found it already; versions only grow.
            if watched.version >= *version {
                continue;
            }
            left += 1;
            watched.since = Some(now);
            watched.reads.push(Waits { read: self.next, version: *version, is_seen: false });
            // One that is in the longer queue is looked for once more if a brief read needs it sooner.
            if !watched.is_due || is_brief {
                watched.is_due = true;
                let queue = if is_brief { &mut self.few } else { &mut self.many };
                queue.push_back(wanted.clone());
            }
        }
        let known = Known { unseen: left, left, failed: None };
        let (known, progress) = watch::channel(known);
        self.waiters.insert(self.next, Waiter { wanted, known });
        (self.next, progress)
    }

    /// A read that waits no longer.
    pub fn remove(&mut self, read: u64) {
        let Some(waiter) = self.waiters.remove(&read) else { return };
        for (wanted, _) in waiter.wanted {
            let Entry::Occupied(mut watched) = self.watched.entry(wanted) else { continue };
            watched.get_mut().reads.retain(|waits| waits.read != read);
            if watched.get().reads.is_empty() {
                watched.remove();
            }
        }
    }

    /// What a read still waits for, with the version that the views have.
    pub fn left_of(&self, read: u64) -> Vec<(Wanted, u64, u64)> {
        let wanted = self.waiters.get(&read).map(|waiter| waiter.wanted.as_slice()).unwrap_or_default();
        let left = wanted.iter().filter_map(|(wanted, version)| {
            let watched = self.watched.get(wanted)?;
            watched.reads.iter().any(|waits| waits.read == read).then(|| (wanted.clone(), *version, watched.version))
        });
        left.collect()
    }

    /// Everything is to be looked for, but what is waited for in vain and was looked for a moment ago. Gives from when on
    /// the first of that is worth a look. With the moment of a signal, what was looked for since is not.
    pub fn all_are_due(&mut self, now: Instant, signal: Option<Instant>) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        for (wanted, watched) in &mut self.watched {
            let is_answered = signal.is_some_and(|signal| watched.looked.is_some_and(|looked| looked >= signal));
            if !watched.is_due && !watched.reads.is_empty() && !is_answered {
                if let Some(until) = watched.rests_until().filter(|until| *until > now) {
                    next = Some(next.map_or(until, |next| next.min(until)));
                    continue;
                }
                watched.is_due = true;
                let is_brief = |waits: &Waits| self.waiters.get(&waits.read).is_some_and(|w| w.wanted.len() <= FEW);
                let queue = if watched.reads.iter().any(is_brief) { &mut self.few } else { &mut self.many };
                queue.push_back(wanted.clone());
            }
        }
        next
    }

    /// Up to so many that are to be looked for, with the versions that are known; and the number of the look, which
    /// is higher than that of every read that came before it.
    pub fn take(&mut self, most: usize) -> (u64, Vec<(Wanted, u64)>) {
        let mut batch = Vec::new();
        self.next += 1;
        while batch.len() < most {
            let Some(wanted) = self.few.pop_front().or_else(|| self.many.pop_front()) else { break };
            // Nobody waits for it any more, or it was taken from the other queue.
            if let Some(watched) = self.watched.get_mut(&wanted).filter(|watched| watched.is_due) {
                watched.is_due = false;
                batch.push((wanted, watched.version));
            }
        }
        (self.next, batch)
    }

    /// Takes in what a look found: the versions that have moved, or why it failed.
    pub fn settle(
        &mut self,
        look: u64,
        batch: &[(Wanted, u64)],
        found: Result<Vec<(Wanted, u64)>, String>,
        now: Instant,
    ) {
        let (moved, failed) = match found {
            Ok(moved) => (moved, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        for (wanted, version) in moved {
            if let Some(watched) = self.watched.get_mut(&wanted) {
                watched.version = watched.version.max(version);
            }
        }
        for (wanted, _) in batch {
            let Some(watched) = self.watched.get_mut(wanted) else { continue };
            watched.looked = Some(now);
            let (version, waiters) = (watched.version, &self.waiters);
            watched.reads.retain_mut(|waits| {
                let has_arrived = version >= waits.version;
                // Who came while it was on its way may have been missed by it.
                let is_first = !waits.is_seen && (has_arrived || waits.read < look);
                if let Some(waiter) = waiters.get(&waits.read).filter(|_| has_arrived || is_first) {
                    waits.is_seen |= failed.is_none();
                    waiter.known.send_modify(|known| match &failed {
                        Some(error) => known.failed = Some(error.clone()),
                        None => {
                            known.unseen -= usize::from(is_first);
                            known.left -= usize::from(has_arrived);
                        }
                    });
                }
                !has_arrived
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::{Uuid, topics::Context};
    use std::time::Duration;

    const LIMITS: WaitLimits = WaitLimits { reads: 3, reads_of_tenant: 2, aggregates_of_tenant: 100 };

    fn tenant(number: u128) -> TenantId {
        TenantId(Uuid::from_u128(number))
    }

    fn product(number: u128) -> Wanted {
        Wanted::Version(tenant(1), Context::Catalog, Uuid::from_u128(number))
    }

    #[test]
    fn a_tenant_has_its_share_of_the_places() {
        let mut register = Register::default();
        assert!(register.enter(tenant(1), 5_000, &LIMITS), "a large token alone");
        assert!(!register.enter(tenant(1), 1, &LIMITS), "and nothing beside it");
        register.leave(tenant(1), 5_000);
        assert!(register.enter(tenant(1), 50, &LIMITS) && register.enter(tenant(1), 50, &LIMITS));
        assert!(!register.enter(tenant(1), 0, &LIMITS), "two reads");
        assert!(register.enter(tenant(2), 1, &LIMITS) && !register.enter(tenant(3), 1, &LIMITS), "three in all");
        register.leave(tenant(1), 50);
        assert!(register.enter(tenant(3), 1, &LIMITS));
    }

    #[test]
    fn reads_for_the_same_are_looked_for_once() {
        let (mut register, now) = (Register::default(), Instant::now());
        let (first, first_known) = register.add(vec![(product(1), 2), (product(2), 1)], now);
        let (second, second_known) = register.add(vec![(product(1), 3)], now);
        let (look, batch) = register.take(10);
        assert_eq!(batch, [(product(1), 0), (product(2), 0)]);
        register.settle(look, &batch, Ok(vec![(product(1), 2)]), now);
        assert_eq!(*first_known.borrow(), Known { unseen: 0, left: 1, failed: None });
        assert_eq!(*second_known.borrow(), Known { unseen: 0, left: 1, failed: None });
        assert_eq!(register.left_of(first), [(product(2), 1, 0)]);
        assert_eq!(register.left_of(second), [(product(1), 3, 2)]);
        register.remove(first);
        register.all_are_due(now, None);
        assert_eq!(register.take(10).1, [(product(1), 2)], "nobody waits for the other any more");
        register.remove(second);
        register.all_are_due(now, None);
        assert_eq!((register.take(10).1, register.is_waited()), (Vec::new(), false));
    }

    #[test]
    fn a_look_that_was_on_its_way_is_not_the_first_of_who_came_meanwhile() {
        let (mut register, now) = (Register::default(), Instant::now());
        let (_, _known) = register.add(vec![(product(1), 2)], now);
        let (look, batch) = register.take(10);
        let (_, late) = register.add(vec![(product(1), 2)], now);
        register.settle(look, &batch, Ok(Vec::new()), now);
        assert_eq!(late.borrow().unseen, 1);
        let (look, batch) = register.take(10);
        register.settle(look, &batch, Err("away".to_owned()), now);
        assert_eq!(late.borrow().failed.as_deref(), Some("away"));
    }

    #[test]
    fn a_brief_read_does_not_stand_behind_a_long_one() {
        let (mut register, now) = (Register::default(), Instant::now());
        let _long = register.add((0..100).map(|number| (product(number), 1)).collect(), now);
        let _brief = register.add(vec![(product(1_000), 1), (product(50), 1)], now);
        let (_, batch) = register.take(3);
        assert_eq!(batch, [(product(1_000), 0), (product(50), 0), (product(0), 0)]);
        assert_eq!(register.take(1_000).1.len(), 98, "what both need is looked for once");
    }

    #[test]
    fn what_is_waited_for_in_vain_is_looked_for_less_and_less() {
        let (mut register, began) = (Register::default(), Instant::now());
        let at = |milliseconds| began + Duration::from_millis(milliseconds);
        let _made_up = register.add(vec![(product(1), 1)], began);
        let look = |register: &mut Register, now| {
            let next = register.all_are_due(now, None);
            let (look, batch) = register.take(10);
            register.settle(look, &batch, Ok(Vec::new()), now);
            (batch.len(), next)
        };
        assert_eq!(look(&mut register, at(0)), (1, None));
        assert_eq!(look(&mut register, at(1)), (1, None), "what is new is looked for each time");
        assert_eq!(look(&mut register, at(800)), (1, None));
        assert_eq!(look(&mut register, at(850)), (0, Some(at(900))));
        assert_eq!(register.all_are_due(at(900), Some(at(800))), None, "it was looked for after that signal");
        assert!(register.take(10).1.is_empty());
        assert_eq!(look(&mut register, at(900)), (1, None));
        let _new = register.add(vec![(product(1), 1)], at(901));
        assert_eq!(look(&mut register, at(902)).0, 1, "somebody else has just begun to wait for it");
    }
}
