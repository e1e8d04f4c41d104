//! Notes on which days keys are used: those that this process was asked with.

use super::commands;
use crate::pipeline::App;
use service::shutdown::Shutdown;
use std::time::Duration;

/// How often.
const EVERY: Duration = Duration::from_secs(30);

/// Notes uses until shutdown.
pub(crate) async fn note_used(app: App, shutdown: Shutdown) {
    let used = app.callers.used();
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.wait() => return,
        }
        // A key that is still in use is noted again.
        if let Err(error) = commands::note_used(&app, &used.take()).await {
            tracing::warn!(?error, "that keys were used could not be noted");
        }
    }
}
