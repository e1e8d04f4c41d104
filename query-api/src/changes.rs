//! Learns from the read database when views change, so that waiting reads wake and caches move on.

use sqlx::postgres::PgListener;
use std::time::Duration;
use tokio::sync::watch;

/// The channel the projector signals at each commit.
const CHANNEL: &str = "souk_views";
/// The payload of a signal after which what was kept stays true: only figures about shoppers changed, and
/// those are not kept. Clicks come all the time; they must not empty the cache.
const FIGURES_ONLY: &str = "figures";
/// Pause before listening again after the connection was lost.
const RETRY: Duration = Duration::from_millis(200);

/// A state of the views, as far as signals tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Change {
    /// Grows with each signal.
    pub version: u64,
    /// Whether signals are heard at all; without them nothing may be cached.
    pub heard: bool,
}

/// Starts listening, for ever; the receiver changes with each signal.
#[must_use]
pub fn listen(url: String) -> watch::Receiver<Change> {
    let (sender, receiver) = watch::channel(Change::default());
    tokio::spawn(async move {
        loop {
            if let Err(error) = hear(&url, &sender).await {
                tracing::warn!(%error, "changes of the views are not heard; answers are not cached until they are");
            }
            sender.send_modify(|change| *change = Change { version: change.version + 1, heard: false });
            tokio::time::sleep(RETRY).await;
        }
    });
    receiver
}

async fn hear(url: &str, sender: &watch::Sender<Change>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect(url).await?;
    listener.listen(CHANNEL).await?;
    sender.send_modify(|change| *change = Change { version: change.version + 1, heard: true });
    // None: the connection was lost, and signals with it.
    while let Some(signal) = listener.try_recv().await? {
        // Even where the version stays, readers that wait for a token have to look again.
        sender.send_modify(|change| change.version += u64::from(signal.payload() != FIGURES_ONLY));
    }
    Ok(())
}
