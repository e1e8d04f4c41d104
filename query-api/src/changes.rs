//! Learns from the read database when views change, so that waiting reads wake and caches move on.

use schemas::signals::{Changed, VIEWS_CHANGED};
use service::{Supervisor, database};
use std::time::Duration;
use tokio::sync::watch;

/// Pause before listening again after the connection was lost.
const RETRY: Duration = Duration::from_millis(200);

/// A state of the views, as far as signals tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Change {
    /// Grows when anything changes that is kept.
    pub version: u64,
    /// Grows when what staff have defined may have changed.
    pub definitions: u64,
    /// Whether signals are heard at all; without them nothing may be cached.
    pub heard: bool,
}

impl Change {
    /// Anything may have changed, and signals are heard from now on, or not.
    fn anything(&mut self, heard: bool) {
        *self = Self { version: self.version + 1, definitions: self.definitions + 1, heard };
    }
}

/// Starts listening, for ever; the receiver changes with each signal.
#[must_use]
pub fn listen(url: String, supervisor: &Supervisor) -> watch::Receiver<Change> {
    let (sender, receiver) = watch::channel(Change::default());
    supervisor.spawn("signals", async move {
        loop {
            if let Err(error) = hear(&url, &sender).await {
                tracing::warn!(%error, "changes of the views are not heard; answers are not cached until they are");
            }
            sender.send_modify(|change| change.anything(false));
            tokio::time::sleep(RETRY).await;
        }
    });
    receiver
}

async fn hear(url: &str, sender: &watch::Sender<Change>) -> Result<(), sqlx::Error> {
    let mut listener = database::listener(url).await?;
    listener.listen(VIEWS_CHANGED).await?;
    sender.send_modify(|change| change.anything(true));
    // None: the connection was lost, and signals with it.
    while let Some(signal) = listener.try_recv().await? {
        // Even where the version stays, readers that wait for a token have to look again.
        let changed = Changed::of(signal.payload());
        sender.send_modify(|change| {
            change.version += u64::from(changed >= Changed::Products);
            change.definitions += u64::from(changed >= Changed::Anything);
        });
    }
    Ok(())
}
