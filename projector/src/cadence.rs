//! The beat of the road while writes come densely: its stages work in rounds, and what comes during one is taken
//! along by the next.

use std::time::Duration;
use tokio::time::Instant;

/// From the beginning of a round to the beginning of the next, at least. What comes alone doesn't wait; of what comes
/// densely several share what a round costs (a transaction, a request to the broker), which is most of the cost of one.
const ROUND: Duration = Duration::from_millis(8);

/// When the last round of a stage began.
#[derive(Debug, Default)]
pub struct Cadence {
    began: Option<Instant>,
}

impl Cadence {
    /// Waits until the next round is due. Nothing is lost if the wait is given up.
    pub async fn due(&self) {
        if let Some(began) = self.began {
            tokio::time::sleep_until(began + ROUND).await;
        }
    }

    /// A round begins.
    pub fn begin(&mut self) {
        self.began = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::Cadence;
    use futures::FutureExt;

    #[tokio::test]
    async fn what_comes_alone_does_not_wait_and_what_follows_closely_does() {
        let mut cadence = Cadence::default();
        assert!(cadence.due().now_or_never().is_some());
        cadence.begin();
        assert!(cadence.due().now_or_never().is_none());
        cadence.due().await;
        assert!(cadence.due().now_or_never().is_some());
    }
}
