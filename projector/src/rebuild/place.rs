//! Where in the log the two sets of views stand, and how they are brought to the same place.

use crate::registry;
use eventlog::{Offsets, checkpoint};
use sqlx::PgConnection;
use std::time::Duration;
use tokio::time::Instant;

/// The projection's name in checkpoints, status and metrics.
pub const PROJECTION: &str = "views:standby";
const LOOK: Duration = Duration::from_millis(10);

/// The two sets can't be compared or change places.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// There is no other set, or not one in that state.
    #[error("{0}")]
    NotReady(String),
    /// The other set did not reach the live one in time.
    #[error("the other set of views did not catch up with the live one; is a projector running?")]
    NotCaughtUp,
    /// Queries did not let go of the tables.
    #[error("the tables were in use all the time; nothing was changed")]
    Busy,
}

/// Where the live views stand: each feed in the topics of its own.
///
/// # Errors
/// The database's.
pub async fn live(connection: &mut PgConnection) -> Result<Offsets, sqlx::Error> {
    let mut offsets = Offsets::new();
    for name in registry::names() {
        offsets.extend(checkpoint::load(connection, name).await?);
    }
    Ok(offsets)
}

/// Holds the live views where they are, waits until the other set stands there as well, holds that too, and says
/// where. Both go on when the transaction ends.
pub async fn at_the_same_place(transaction: &mut PgConnection, patience: Duration) -> Result<Offsets, RebuildError> {
    // Every feed, in one order.
    for name in registry::names() {
        checkpoint::hold(transaction, name).await?;
    }
    let live = live(transaction).await?;
    let deadline = Instant::now() + patience;
    // The other set is never ahead.
    while checkpoint::load(transaction, PROJECTION).await? != live {
        if Instant::now() > deadline {
            return Err(RebuildError::NotCaughtUp);
        }
        tokio::time::sleep(LOOK).await;
    }
    checkpoint::hold(transaction, PROJECTION).await?;
    Ok(live)
}
