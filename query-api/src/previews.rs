//! Whose turn it is to price many carts at once. That takes a thread for seconds, which those who search and shop would miss.

use crate::problem::Refusal;
use schemas::problem::{Code, Problem};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Previews of all shops that are made at the same time.
const AT_ONCE: usize = 2;

/// Turns of previews.
#[derive(Debug, Clone)]
pub struct Previews(Arc<Semaphore>);

/// A turn; it is over when it is dropped.
#[derive(Debug)]
pub struct Turn {
    _place: OwnedSemaphorePermit,
}

impl Default for Previews {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Previews {
    /// A turn, if one is free. Nobody queues: whoever asks can ask again.
    ///
    /// # Errors
    /// That others are at it.
    pub fn turn(&self) -> Result<Turn, Refusal> {
        let place = Arc::clone(&self.0).try_acquire_owned();
        let detail = "other previews are being made; ask again in a few seconds";
        place.map(|place| Turn { _place: place }).map_err(|_| Problem::new(Code::Overloaded).detail(detail).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_free_again_once_one_is_over() {
        let previews = Previews::default();
        let turns: Vec<Turn> = (0..AT_ONCE).map(|_| previews.turn().expect("a turn")).collect();
        assert!(previews.turn().expect_err("taken").is(Code::Overloaded));
        drop(turns);
        assert!(previews.turn().is_ok());
    }
}
