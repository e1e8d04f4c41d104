//! What is read from the database now and then, and never while a search waits for it: once known, a value serves
//! while it is read again in the background, also when the database stands still or is away.

use moka::future::Cache;
use std::{
    fmt::Display,
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Values nobody asks for are forgotten after so long.
const IDLE: Duration = Duration::from_secs(3_600);

#[derive(Debug, Clone)]
struct Known<V> {
    value: V,
    at: Instant,
    /// Whether somebody reads it again.
    reading: Arc<AtomicBool>,
}

/// Such values by key.
#[derive(Debug, Clone)]
pub struct Renewed<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> {
    known: Cache<K, Known<V>>,
    every: Duration,
}

impl<K: Hash + Eq + Clone + Send + Sync + 'static, V: Clone + Send + Sync + 'static> Renewed<K, V> {
    /// At most so many values, each read again when it is asked for after so long.
    #[must_use]
    pub fn new(most: u64, every: Duration) -> Self {
        Self { known: Cache::builder().max_capacity(most).time_to_idle(IDLE).build(), every }
    }

    /// The value of a key, and none if there is none. Only who asks for one that isn't known waits for `read`.
    ///
    /// # Errors
    /// Those of `read`; in the background they are logged, and the next who asks has it read again.
    pub async fn get<E, F>(&self, key: &K, read: impl FnOnce() -> F) -> Result<Option<V>, E>
    where
        E: Display + Send,
        F: Future<Output = Result<Option<V>, E>> + Send + 'static,
    {
        let Some(known) = self.known.get(key).await else {
            let value = read().await?;
            if let Some(value) = value.clone() {
                self.keep(key.clone(), value).await;
            }
            return Ok(value);
        };
        if known.at.elapsed() >= self.every && !known.reading.swap(true, Ordering::SeqCst) {
            let (own, key, reading) = (self.clone(), key.clone(), read());
            tokio::spawn(async move {
                match reading.await {
                    Ok(Some(value)) => own.keep(key, value).await,
                    Ok(None) => own.known.invalidate(&key).await,
                    Err(error) => {
                        tracing::warn!(%error, "the database does not answer; what was known stays in use");
                        known.reading.store(false, Ordering::SeqCst);
                    }
                }
            });
        }
        Ok(Some(known.value))
    }

    async fn keep(&self, key: K, value: V) {
        self.known.insert(key, Known { value, at: Instant::now(), reading: Arc::default() }).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;
    use tokio::sync::oneshot;

    const PATIENCE: Duration = Duration::from_secs(30);

    async fn until(renewed: &Renewed<u8, u32>, wanted: Option<u32>) {
        let look = async {
            while renewed.known.get(&1).await.map(|known| known.value) != wanted {
                tokio::task::yield_now().await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, look).await.is_ok(), "{wanted:?} never came");
    }

    fn value(value: Option<u32>) -> impl FnOnce() -> std::future::Ready<Result<Option<u32>, String>> {
        move || std::future::ready(Ok(value))
    }

    #[tokio::test]
    async fn a_known_value_is_given_while_it_is_read_again() {
        let renewed = Renewed::new(10, Duration::ZERO);
        assert_eq!(renewed.get(&1, value(Some(1))).await, Ok(Some(1)));
        let (answer, asked) = oneshot::channel();
        let slow = || async { asked.await.map_err(|error| error.to_string()) };
        assert_eq!(renewed.get(&1, slow).await, Ok(Some(1)), "the database has not answered yet");
        let again = AtomicU32::new(0);
        let counted = || {
            again.fetch_add(1, Ordering::SeqCst);
            std::future::ready(Ok::<_, String>(Some(9)))
        };
        assert_eq!(renewed.get(&1, counted).await, Ok(Some(1)));
        assert_eq!(again.load(Ordering::SeqCst), 0, "it is being read already");
        assert_eq!(answer.send(Some(2)), Ok(()));
        until(&renewed, Some(2)).await;
        assert_eq!(renewed.get(&1, value(None)).await, Ok(Some(2)));
        until(&renewed, None).await;
    }

    #[tokio::test]
    async fn a_database_that_fails_takes_nothing_away() {
        let renewed = Renewed::new(10, Duration::ZERO);
        let failing = || std::future::ready(Err::<Option<u32>, _>("away".to_owned()));
        assert_eq!(renewed.get(&1, failing).await, Err("away".to_owned()));
        assert_eq!(renewed.get(&1, value(Some(1))).await, Ok(Some(1)));
        assert_eq!(renewed.get(&1, failing).await, Ok(Some(1)));
        // Until it answers again.
        let look = async {
            while renewed.get(&1, value(Some(2))).await != Ok(Some(2)) {
                tokio::task::yield_now().await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, look).await.is_ok());
    }

    #[tokio::test]
    async fn nothing_is_read_before_its_time() {
        let renewed = Renewed::new(10, PATIENCE);
        assert_eq!(renewed.get(&1, value(Some(1))).await, Ok(Some(1)));
        assert_eq!(renewed.get(&1, value(Some(2))).await, Ok(Some(1)));
        until(&renewed, Some(1)).await;
        assert_eq!(renewed.get(&2, value(None)).await, Ok(None));
        assert_eq!(renewed.get(&2, value(Some(3))).await, Ok(Some(3)), "what is not there may come");
    }
}
