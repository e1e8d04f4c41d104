//! Leadership by a PostgreSQL advisory lock, on the very connection that does the work: when the
//! connection is lost, so is the lock, and the work fails with it.

use crate::database;
use sqlx::PgConnection;
use std::{slice, time::Duration};

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
            !try_lock(&mut connection, name.as_ref()).await?
        } {}
    }
    Ok(connection)
}

/// Takes the lock of `name` for this connection, unless another has it; gives whether it has it now.
///
/// The lock's number is the first eight bytes of the name's hash in PostgreSQL (`hashtextextended`).
///
/// # Errors
/// The database's.
pub async fn try_lock(connection: &mut PgConnection, name: &str) -> Result<bool, sqlx::Error> {
    let leads: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended($1, 0))")
        .bind(name)
        .fetch_one(connection)
        .await?;
    if leads {
        tracing::info!(role = name, "leading");
    }
    Ok(leads)
}

/// Gives the lock of `name` back.
///
/// # Errors
/// The database's.
pub async fn unlock(connection: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_advisory_unlock(hashtextextended($1, 0))").bind(name).execute(connection).await?;
    Ok(())
}
