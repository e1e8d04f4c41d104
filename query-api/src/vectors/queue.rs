//! The queries that wait for a model: a bounded number of them, each for a bounded time, on a thread of the model's own.
//! Searches by words share nothing with them.

use search::{
    embed::{EmbedError, Embedder},
    searcher::VectorError,
};
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    time::Duration,
};
use tokio::sync::oneshot;

/// Queries that may wait; further ones are told so at once. One takes about ten milliseconds.
const WAITING: usize = 32;
/// How long one waits at most.
const PATIENCE: Duration = Duration::from_secs(1);

type Vector = Result<Option<Vec<f32>>, EmbedError>;

/// A text, and who waits for its vector.
struct Waits {
    text: String,
    told: oneshot::Sender<Vector>,
}

/// A queue before a model. The thread behind it ends with its last clone.
#[derive(Debug, Clone)]
pub struct Queue(mpsc::SyncSender<Waits>);

impl Queue {
    /// Starts a model's thread.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn start(mut embedder: Embedder) -> io::Result<Self> {
        Self::before(move |text| embedder.embed(&[text]).map(|vectors| vectors.into_iter().next()))
    }

    fn before(mut embed: impl FnMut(String) -> Vector + Send + 'static) -> io::Result<Self> {
        let (queue, waiting) = mpsc::sync_channel::<Waits>(WAITING);
        std::thread::Builder::new().name("embed-queries".to_owned()).spawn(move || {
            for Waits { text, told } in waiting {
                // Who has given up needs no vector.
                if !told.is_closed() {
                    let vector = catch_unwind(AssertUnwindSafe(|| embed(text)));
                    let vector = vector.unwrap_or_else(|_| Err(EmbedError::Runtime("it panicked".to_owned())));
                    // Whoever waited may be gone by now.
                    let _ = told.send(vector);
                }
            }
        })?;
        Ok(Self(queue))
    }

    /// The vector of a text.
    ///
    /// # Errors
    /// [`VectorError::Busy`], and the model's.
    pub async fn embed(&self, text: String) -> Result<Option<Vec<f32>>, VectorError> {
        let (told, vector) = oneshot::channel();
        self.0.try_send(Waits { text, told }).map_err(|_| VectorError::Busy)?;
        let vector = tokio::time::timeout(PATIENCE, vector).await.map_err(|_| VectorError::Busy)?;
        // It ends with the queue, which is still here.
        let vector = vector.map_err(|_| EmbedError::Runtime("the thread of the model has ended".to_owned()))?;
        Ok(vector?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn queries_beyond_the_queue_are_told_at_once_and_those_in_it_after_a_while() {
        let (go, gate) = mpsc::channel::<()>();
        let queue = Queue::before(move |_| {
            // Until the test lets it go.
            let _ = gate.recv();
            Ok(Some(vec![1.0]))
        })
        .expect("a thread");
        let ask = || {
            tokio::spawn({
                let queue = queue.clone();
                async move { queue.embed("lamp".to_owned()).await }
            })
        };
        let first: Vec<_> = (0..=2 * WAITING).map(|_| ask()).collect();
        let mut busy = 0;
        for asked in first {
            busy += usize::from(matches!(asked.await.expect("ended"), Err(VectorError::Busy)));
        }
        assert_eq!(busy, 2 * WAITING + 1, "nobody got a vector, and nobody waited for ever");
        drop(go);
        // The places of those who gave up become free one after another.
        let vector = async {
            loop {
                match queue.embed("lamp".to_owned()).await {
                    Err(VectorError::Busy) => tokio::task::yield_now().await,
                    answer => return answer,
                }
            }
        };
        let vector = tokio::time::timeout(Duration::from_secs(30), vector).await.expect("a place");
        assert!(matches!(vector, Ok(Some(vector)) if vector == [1.0]));
    }
}
