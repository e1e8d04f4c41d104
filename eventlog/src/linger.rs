//! A stage of the pipeline works in rounds while writes come densely: what comes during one round is taken by the next.

use std::time::Duration;
use tokio::time::Instant;

/// From the beginning of a round to the beginning of the next, at least. A single event does not wait. Of many, several
/// share the cost of a round (a transaction, a request to the broker), which is most of the cost of one event.
const ROUND: Duration = Duration::from_millis(8);

/// When the last round of a stage began.
#[derive(Debug, Default)]
pub struct Linger {
    began: Option<Instant>,
}

impl Linger {
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
