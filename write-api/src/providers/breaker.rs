//! A circuit breaker: who has not answered several times is not asked for a while, so that callers fail at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// After so many failures in a row nobody is asked.
const FAILURES: u32 = 5;
/// For so long; then one request tries again.
const OPEN: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, Default)]
struct Circuit {
    failures: u32,
    /// Until when nobody is asked.
    open_until: Option<Instant>,
}

/// The circuits of all hosts.
#[derive(Debug, Clone, Default)]
pub(super) struct Breakers(Arc<Mutex<HashMap<String, Circuit>>>);

impl Breakers {
    /// Whether a host may be asked. Once its time is over, one may try, and the others wait for what comes of that.
    pub(super) fn lets(&self, host: &str, now: Instant) -> bool {
        let mut circuits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(circuit) = circuits.get_mut(host) else { return true };
        match circuit.open_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                circuit.open_until = Some(now + OPEN);
                true
            }
        }
    }

    /// Notes what came of a request.
    pub(super) fn note(&self, host: &str, has_answered: bool, now: Instant) {
        let mut circuits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if has_answered {
            circuits.remove(host);
            return;
        }
        let circuit = circuits.entry(host.to_owned()).or_default();
        circuit.failures = circuit.failures.saturating_add(1);
        if circuit.failures >= FAILURES {
            circuit.open_until = Some(now + OPEN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_fails_often_is_not_asked_until_one_request_came_through() {
        let (breakers, now) = (Breakers::default(), Instant::now());
        for _ in 0..FAILURES {
            assert!(breakers.lets("a", now));
            breakers.note("a", false, now);
        }
        assert!(!breakers.lets("a", now) && breakers.lets("b", now));
        let later = now + OPEN;
        assert!(breakers.lets("a", later) && !breakers.lets("a", later), "one tries");
        breakers.note("a", true, later);
        assert!(breakers.lets("a", later));
    }
}
