//! Leadership by a PostgreSQL advisory lock, on the very connection that does the work: when the
//! connection is lost, so is the lock, and the work fails with it.

use crate::database;
use sqlx::PgConnection;
use std::time::Duration;

/// How often a standby asks.
const STANDBY_INTERVAL: Duration = Duration::from_millis(250);

/// Waits until this process leads `name` and gives the connection that holds the lock.
///
/// The lock's number is the first eight bytes of the name's hash in PostgreSQL (`hashtextextended`).
///
/// # Errors
/// The database's.
pub async fn lead(url: &str, name: &str) -> Result<PgConnection, sqlx::Error> {
    let mut connection = database::connect(url).await?;
    let mut ticks = tokio::time::interval(STANDBY_INTERVAL);
    loop {
        ticks.tick().await;
        let leads: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended($1, 0))")
            .bind(name)
            .fetch_one(&mut connection)
            .await?;
        if leads {
            tracing::info!(role = name, "leading");
            return Ok(connection);
        }
    }
}
