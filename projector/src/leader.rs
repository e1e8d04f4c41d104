//! Leadership by a PostgreSQL advisory lock, on the very connection that does the work: when the
//! connection is lost, so is the lock, and the work fails with it.

use sqlx::{Connection, PgConnection};
use std::time::Duration;

/// How often a standby asks.
const STANDBY_INTERVAL: Duration = Duration::from_millis(250);

/// Sets a projection's connection up.
///
/// # Errors
/// The database's.
pub async fn prepare(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    // Everything done here can be done again after a crash of the server.
    sqlx::query("SET synchronous_commit = off").execute(&mut *connection).await?;
    // A plan that was kept from when a table was empty reads it whole when it has a million rows.
    sqlx::query("SET plan_cache_mode = force_custom_plan").execute(connection).await?;
    Ok(())
}

/// Waits until this process leads `name` and gives the connection that holds the lock.
///
/// The lock's number is the first eight bytes of the name's hash in PostgreSQL (`hashtextextended`).
///
/// # Errors
/// The database's.
pub async fn lead(url: &str, name: &str) -> Result<PgConnection, sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    prepare(&mut connection).await?;
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
