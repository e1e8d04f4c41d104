//! A value that takes long to make: made once by whoever needs it first, while the others wait, and made anew in the
//! background, while the old one still serves.

use crate::background;
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// How far what is known is from what is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// It serves as it is.
    Fresh,
    /// It serves until there is a new one.
    Stale,
    /// It does not serve any more.
    Expired,
}

/// One such value.
#[derive(Debug)]
pub struct Cached<T> {
    value: Mutex<Option<Arc<T>>>,
    /// Held by who makes it while others wait.
    making: Mutex<()>,
    /// Whether it is made anew in the background.
    renewing: AtomicBool,
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self { value: Mutex::default(), making: Mutex::default(), renewing: AtomicBool::default() }
    }
}

impl<T: Send + Sync + 'static> Cached<T> {
    /// What was made last, however old.
    pub fn value(&self) -> Option<Arc<T>> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, value: T) -> Arc<T> {
        let value = Arc::new(value);
        *self.value.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&value));
        value
    }

    /// The value, made if there is none that serves; in the background it is made with the one that it replaces.
    ///
    /// # Errors
    /// Those of `make`, unless it is made in the background: then the old value goes on serving, and the next caller
    /// tries again.
    pub fn get<E: std::fmt::Display>(
        self: &Arc<Self>,
        age: impl Fn(&T) -> Age,
        make: impl FnOnce(Option<Arc<T>>) -> Result<T, E> + Send + 'static,
    ) -> Result<Arc<T>, E> {
        if let Some(known) = self.value() {
            match age(&known) {
                Age::Fresh => return Ok(known),
                Age::Stale => {
                    self.renew(Arc::clone(&known), make);
                    return Ok(known);
                }
                Age::Expired => {}
            }
        }
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        // Who held it before may have made it.
        match self.value() {
            Some(known) if age(&known) != Age::Expired => Ok(known),
            _ => Ok(self.keep(make(None)?)),
        }
    }

    /// Makes it anew, on this thread, with the one that it replaces; that one serves meanwhile.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn renewed<E>(&self, make: impl FnOnce(Option<Arc<T>>) -> Result<T, E>) -> Result<(), E> {
        // Who has none waits for this one.
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        self.keep(make(self.value())?);
        Ok(())
    }

    fn renew<E: std::fmt::Display>(
        self: &Arc<Self>,
        known: Arc<T>,
        make: impl FnOnce(Option<Arc<T>>) -> Result<T, E> + Send + 'static,
    ) {
        if self.renewing.swap(true, Ordering::SeqCst) {
            return;
        }
        let own = Arc::clone(self);
        let started = background::spawn_beside("statistics", move || {
            // Also when it panics somebody else may try.
            let _done = Done(&own.renewing);
            match make(Some(known)) {
                Ok(value) => drop(own.keep(value)),
                Err(error) => {
                    tracing::warn!(%error, "the statistics of a catalog can't be collected; those of before stay in use");
                }
            }
        });
        if let Err(error) = started {
            tracing::warn!(%error, "no thread to collect the statistics of a catalog on");
            self.renewing.store(false, Ordering::SeqCst);
        }
    }
}

struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::{Barrier, atomic::AtomicU32, mpsc},
        time::Duration,
    };

    const PATIENCE: Duration = Duration::from_secs(30);

    #[test]
    fn those_who_come_together_have_it_made_once() {
        let (kept, made, gate) = (Arc::new(Cached::<u32>::default()), Arc::new(AtomicU32::new(0)), Barrier::new(8));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    gate.wait();
                    let made = Arc::clone(&made);
                    let make = move |_| Ok::<_, String>(made.fetch_add(1, Ordering::SeqCst));
                    assert_eq!(kept.get(|_| Age::Fresh, make).as_deref(), Ok(&0));
                });
            }
        });
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_stale_one_serves_until_the_new_one_is_there() {
        let kept = Arc::new(Cached::<u32>::default());
        assert_eq!(kept.get(|_| Age::Fresh, |_| Ok::<_, String>(1)).as_deref(), Ok(&1));
        let ((go, gate), (done, made)) = (mpsc::channel::<()>(), mpsc::channel());
        let slow = move |replaced: Option<Arc<u32>>| {
            let told = gate.recv_timeout(PATIENCE);
            if replaced.as_deref() != Some(&1) {
                return Err("it is not told what it replaces".to_owned());
            }
            done.send(()).map_err(|error| error.to_string())?;
            told.map(|()| 2).map_err(|error| error.to_string())
        };
        assert_eq!(kept.get(|_| Age::Stale, slow).as_deref(), Ok(&1));
        // While one is being made, no other is begun.
        assert_eq!(kept.get(|_| Age::Stale, |_| Ok::<_, String>(9)).as_deref(), Ok(&1));
        assert_eq!(go.send(()), Ok(()));
        assert_eq!(made.recv_timeout(PATIENCE), Ok(()));
        let deadline = std::time::Instant::now() + PATIENCE;
        while kept.value().as_deref() != Some(&2) {
            assert!(std::time::Instant::now() < deadline, "the new one never came");
            std::thread::yield_now();
        }
    }

    #[test]
    fn one_that_can_not_be_made_is_tried_again() {
        let kept = Arc::new(Cached::<u32>::default());
        assert_eq!(kept.get(|_| Age::Fresh, |_| Err("no")), Err("no"));
        assert_eq!(kept.get(|_| Age::Fresh, |_| Ok::<_, String>(3)).as_deref(), Ok(&3));
        assert_eq!(kept.get(|_| Age::Expired, |_| Ok::<_, String>(4)).as_deref(), Ok(&4));
    }
}
