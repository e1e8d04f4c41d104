//! Watches of promotions and trials: the terminal that asked for one may be gone.

use crate::{context::CommandContext, failure::Failure, watch};
use schemas::Uuid;
use std::time::Duration;

/// How often the figures are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Looks after all watches, for ever.
pub async fn look_after(context: CommandContext) {
    let watcher = Uuid::now_v7().to_string();
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        if let Err(error) = look(&context, &watcher).await {
            tracing::warn!(%error, "what was put before shoppers can't be watched right now");
        }
    }
}

async fn look(context: &CommandContext, watcher: &str) -> Result<(), Failure> {
    for generation in watch::kept::open(context).await? {
        watch::kept::look(context, &generation, watcher).await?;
    }
    Ok(())
}
