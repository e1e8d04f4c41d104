//! Reads every file of a generation again and again and checks it against its checksum: a disk that has changed a
//! bit is found before a shopper does.

use crate::{config::Config, deps::RoleError};
use search::{IndexError, background, generation};
use std::time::Duration;
use tokio::sync::oneshot;

/// Starts checking on a thread of low priority, until the answer is dropped; it comes when damage is found.
pub fn start(config: &Config, name: &str) -> Result<oneshot::Receiver<IndexError>, RoleError> {
    let (mut found, answer) = oneshot::channel();
    let (root, name, interval) = (config.index_dir.clone(), name.to_owned(), Duration::from_secs(config.scrub_seconds));
    if interval.is_zero() {
        // Never: the answer waits for ever on a sender that is kept.
        tokio::spawn(async move { found.closed().await });
        return Ok(answer);
    }
    background::spawn("index-scrub", move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else { return };
        loop {
            let gone = runtime.block_on(async { tokio::time::timeout(interval, found.closed()).await.is_ok() });
            if gone {
                return;
            }
            match generation::check(&root, &name) {
                Err(damage @ IndexError::Damaged { .. }) => {
                    // The copy may have ended meanwhile.
                    let _ = found.send(damage);
                    return;
                }
                Err(error) => tracing::warn!(%error, index.generation = %name, "the files could not be checked"),
                Ok(()) => tracing::debug!(index.generation = %name, "all files are right"),
            }
        }
    })?;
    Ok(answer)
}
