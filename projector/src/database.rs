//! Connections of projections to the read database.

use sqlx::{Connection, PgConnection};

/// Connects, for work that can be done again after a crash of the server.
///
/// # Errors
/// The database's.
pub async fn connect(url: &str) -> Result<PgConnection, sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query("SET synchronous_commit = off").execute(&mut connection).await?;
    // A plan that was kept from when a table was empty reads it whole when it has a million rows.
    sqlx::query("SET plan_cache_mode = force_custom_plan").execute(&mut connection).await?;
    Ok(connection)
}
