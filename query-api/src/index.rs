//! The index generation that is active: opened, watched, and replaced when the read database names another.

use search::{IndexError, reader::IndexHandle};
use service::Health;
use sqlx::PgPool;
use std::{path::PathBuf, time::Duration};
use tokio::sync::watch;

/// How often the active generation is asked for.
const POLL: Duration = Duration::from_millis(500);

/// A handle that always gives the active generation.
#[derive(Debug, Clone)]
pub struct ActiveIndex {
    current: watch::Receiver<Option<IndexHandle>>,
}

impl ActiveIndex {
    /// Starts watching, for ever.
    #[must_use]
    pub fn watch(pool: PgPool, folder: PathBuf, health: Health) -> Self {
        let (sender, current) = watch::channel(None);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(POLL);
            let mut inode = None;
            loop {
                ticks.tick().await;
                match take_over(&pool, &folder, &sender, &mut inode).await {
                    Ok(()) => health.set("index", true, ""),
                    // What is open stays in use: an old answer is better than none.
                    Err(error) if sender.borrow().is_some() => {
                        tracing::warn!(%error, "the active generation can't be asked for");
                    }
                    Err(error) => health.set("index", false, &error.to_string()),
                }
            }
        });
        Self { current }
    }

    /// The active generation; none before it is loaded.
    #[must_use]
    pub fn get(&self) -> Option<IndexHandle> {
        self.current.borrow().clone()
    }
}

/// Opens the generation that the database names, unless it is the one in use. A folder that was put
/// aside and built anew under the same name is another one: its inode differs.
async fn take_over(
    pool: &PgPool,
    folder: &std::path::Path,
    sender: &watch::Sender<Option<IndexHandle>>,
    inode: &mut Option<u64>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let name: Option<String> = sqlx::query_scalar("SELECT generation FROM index_generations WHERE state = 'active'")
        .fetch_optional(pool)
        .await?;
    let name = name.ok_or_else(|| IndexError::Missing("(none is active yet)".to_owned()))?;
    let meta =
        std::fs::metadata(search::generation::folder(folder, &name)).map_err(|_| IndexError::Missing(name.clone()))?;
    let found = std::os::unix::fs::MetadataExt::ino(&meta);
    let in_use = sender.borrow().as_ref().map(|handle| handle.manifest().generation.clone());
    if in_use.as_deref() == Some(name.as_str()) && *inode == Some(found) {
        return Ok(());
    }
    let handle = tokio::task::block_in_place(|| IndexHandle::open(folder, &name))?;
    tracing::info!(index.generation = %name, "generation opened");
    *inode = Some(found);
    sender.send_replace(Some(handle));
    Ok(())
}
