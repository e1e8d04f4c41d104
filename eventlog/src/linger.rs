//! A stage of the pipeline works in rounds while writes come densely: what comes during one round is taken by the next.

use std::time::Duration;
use tokio::time::Instant;

/// From the beginning of a round to the beginning of the next, at least. A single event does not wait. Of many, several
/// share the cost of a round (a transaction, a request to the broker), which is most of the cost of one event.
const ROUND: Duration = Duration::from_millis(8);

/// When the last round of a stage began.
#[derive(Debug)]
pub struct Linger {
    began: Option<Instant>,
    round: Duration,
}

impl Default for Linger {
    fn default() -> Self {
        Self::every(ROUND)
    }
}

impl Linger {
    /// With so much time from one round to the next, for what nobody waits for.
    #[must_use]
    pub const fn every(round: Duration) -> Self {
        Self { began: None, round }
    }

    /// Waits until the next round is due. Nothing is lost if the wait is given up.
    pub async fn due(&self) {
        if let Some(began) = self.began {
            tokio::time::sleep_until(began + self.round).await;
        }
    }

    /// A round begins.
    pub fn begin(&mut self) {
        self.began = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::Linger;
    use futures::FutureExt;

    #[tokio::test]
    async fn what_comes_alone_does_not_wait_and_what_follows_closely_does() {
        let mut linger = Linger::default();
        assert!(linger.due().now_or_never().is_some());
        linger.begin();
        assert!(linger.due().now_or_never().is_none());
        linger.due().await;
        assert!(linger.due().now_or_never().is_some());
    }
}
