//! The states of the index that cursors point to. A state that is kept holds files and memory that the index has moved on
//! from: so many are kept for each tenant and in all, and each for a while after it was used last.

use super::State;
use schemas::ids::TenantId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long a state is kept for a cursor that is not used.
const IDLE: Duration = Duration::from_secs(120);
/// How often it is looked which have not been used for so long.
const LOOK: Duration = Duration::from_secs(10);
/// States that are kept for one tenant, and in all.
const OF_TENANT: usize = 16;
const STATES: usize = 64;

/// A kept state, and who needed it last when.
#[derive(Debug)]
struct Held<S> {
    snapshot: S,
    tenants: HashMap<TenantId, Instant>,
}

#[derive(Debug)]
struct States<S>(HashMap<State, Held<S>>);

/// The kept states. Cheap to share.
#[derive(Debug, Clone)]
pub struct Kept<S: Clone + Send + 'static>(Arc<Mutex<States<S>>>);

impl<S: Clone + Send + 'static> Kept<S> {
    /// Nothing kept; what is not used for two minutes is let go, for as long as this is there.
    #[must_use]
    pub fn new() -> Self {
        let states = Arc::new(Mutex::new(States(HashMap::new())));
        let weak = Arc::downgrade(&states);
        tokio::spawn(async move {
            let mut looks = tokio::time::interval(LOOK);
            loop {
                looks.tick().await;
                let Some(states) = weak.upgrade() else { return };
                states.lock().unwrap_or_else(PoisonError::into_inner).let_go(Instant::now());
            }
        });
        Self(states)
    }

    /// Keeps a state for a tenant. One of that name that is kept already stays: pages have begun with it.
    pub fn keep(&self, tenant: TenantId, state: State, snapshot: S) {
        self.states().keep(tenant, state, snapshot, Instant::now());
    }

    /// A kept state, which is used by a tenant now.
    #[must_use]
    pub fn get(&self, tenant: TenantId, state: &State) -> Option<S> {
        self.states().get(tenant, state, Instant::now())
    }

    /// How many states are kept.
    #[must_use]
    pub fn count(&self) -> usize {
        self.states().0.len()
    }

    fn states(&self) -> MutexGuard<'_, States<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Clone + Send + 'static> Default for Kept<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Clone> States<S> {
    fn keep(&mut self, tenant: TenantId, state: State, snapshot: S, now: Instant) {
        let held = self.0.entry(state).or_insert_with(|| Held { snapshot, tenants: HashMap::new() });
        held.tenants.insert(tenant, now);
        let own = |(state, held): (&State, &Held<S>)| held.tenants.get(&tenant).map(|used| (*used, state.clone()));
        let mut own: Vec<(Instant, State)> = self.0.iter().filter_map(own).collect();
        if own.len() > OF_TENANT {
            own.sort_by_key(|(used, _)| *used);
            if let Some(held) = own.first().and_then(|(_, oldest)| self.0.get_mut(oldest)) {
                held.tenants.remove(&tenant);
            }
        }
        self.let_go(now);
        while self.0.len() > STATES {
            let oldest = self.0.iter().min_by_key(|(_, held)| held.tenants.values().max().copied());
            let Some(oldest) = oldest.map(|(state, _)| state.clone()) else { return };
            self.0.remove(&oldest);
        }
    }

    fn get(&mut self, tenant: TenantId, state: &State, now: Instant) -> Option<S> {
        self.let_go(now);
        let held = self.0.get_mut(state)?;
        // Whose hold was let go for newer ones does not get it back by somebody else's.
        let used = held.tenants.get_mut(&tenant)?;
        *used = now;
        Some(held.snapshot.clone())
    }

    /// Lets go what nobody has used for long.
    fn let_go(&mut self, now: Instant) {
        self.0.retain(|_, held| {
            held.tenants.retain(|_, used| now.saturating_duration_since(*used) < IDLE);
            !held.tenants.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Uuid;

    fn state(number: usize) -> State {
        State { generation: "g1".to_owned(), read: number.to_string() }
    }

    fn tenant(number: usize) -> TenantId {
        TenantId(Uuid::from_u128(number as u128))
    }

    #[test]
    fn a_tenant_has_so_many_and_takes_none_from_others() {
        let (mut states, now) = (States(HashMap::new()), Instant::now());
        let at = |second: usize| now + Duration::from_secs(second as u64);
        states.keep(tenant(1), state(0), 0, now);
        let many = 3 * OF_TENANT;
        for second in 0..many {
            states.keep(tenant(2), state(second), second, at(second));
        }
        let found: Vec<_> = (0..many).filter_map(|number| states.get(tenant(2), &state(number), at(many))).collect();
        assert_eq!(found, (2 * OF_TENANT..many).collect::<Vec<_>>());
        assert_eq!(states.get(tenant(1), &state(0), at(many)), Some(0));
        assert_eq!(states.0.len(), OF_TENANT + 1);
    }

    #[test]
    fn what_is_not_used_is_let_go_and_so_is_the_oldest_of_many() {
        let (mut states, now) = (States(HashMap::new()), Instant::now());
        states.keep(tenant(1), state(1), 1, now);
        states.keep(tenant(2), state(2), 2, now);
        assert_eq!(states.get(tenant(1), &state(1), now + IDLE / 2), Some(1));
        assert_eq!(states.get(tenant(1), &state(1), now + IDLE), Some(1), "it was used since");
        assert_eq!((states.get(tenant(2), &state(2), now + IDLE), states.0.len()), (None, 1));
        let later = now + IDLE + Duration::from_secs(1);
        for number in 100..100 + STATES {
            states.keep(tenant(number), state(number), number, later);
        }
        assert_eq!((states.get(tenant(1), &state(1), later), states.0.len()), (None, STATES));
    }

    #[test]
    fn pages_go_on_with_the_state_they_began_with() {
        let (mut states, now) = (States(HashMap::new()), Instant::now());
        states.keep(tenant(1), state(1), 1, now);
        states.keep(tenant(1), state(1), 9, now);
        assert_eq!(states.get(tenant(1), &state(1), now), Some(1));
    }
}
