//! Leadership by a PostgreSQL advisory lock, on the very connection that does the work: when the connection is lost, so is
//! the lock, and the work fails with it.
//!
//! A process that hangs, or a node that is cut off, keeps its connection and so the lock. Therefore a leader has a lease
//! beside it, which its process renews. Whoever waits for the lock ends the session of a leader whose lease has run out.
//! What that one still writes over this connection when it wakes is refused by the server: the connection is gone. See
//! docs/decisions/0040. Where several are to work at once, they hold [`shares`].

use crate::database;
use sqlx::PgConnection;
use std::{slice, time::Duration};

mod keeper;
mod lease;
pub mod shares;

pub use shares::{MOST_SHARES, Shares};

/// How often a standby asks.
const STANDBY_INTERVAL: Duration = Duration::from_millis(250);

/// Waits until this process leads `name` and gives the connection that holds the lock.
///
/// # Errors
/// The database's.
pub async fn lead(url: &str, name: &str) -> Result<PgConnection, sqlx::Error> {
    lead_all(url, slice::from_ref(&name)).await
}

/// Waits until this process leads all of `names`, one after the other, and gives the one connection that holds the locks.
///
/// # Errors
/// The database's.
pub async fn lead_all(url: &str, names: &[impl AsRef<str>]) -> Result<PgConnection, sqlx::Error> {
    let mut connection = database::connect(url).await?;
    for name in names {
        let mut ticks = tokio::time::interval(STANDBY_INTERVAL);
        while {
            ticks.tick().await;
            !try_lock(&mut connection, url, name.as_ref()).await?
        } {}
    }
    Ok(connection)
}

/// Takes the lock of `name` for this connection to the database at `url`, unless another has it; gives whether it has it now.
/// A leader whose lease has run out loses it, so that the next try succeeds.
///
/// # Errors
/// The database's.
pub async fn try_lock(connection: &mut PgConnection, url: &str, name: &str) -> Result<bool, sqlx::Error> {
    if let Some(term) = lease::take(connection, name).await? {
        tracing::info!(role = name, term, "leading");
        keeper::keep(url, name, term);
        return Ok(true);
    }
    if lease::end_expired(connection, name).await? {
        tracing::warn!(role = name, "the leader's lease has run out; its session was ended");
    }
    Ok(false)
}

/// Gives the lock of `name` back.
///
/// # Errors
/// The database's.
pub async fn unlock(connection: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_advisory_unlock(hashtextextended($1, 0))").bind(name).execute(connection).await?;
    Ok(())
}
