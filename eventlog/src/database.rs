//! Connections of projections to the databases, and how their statements are planned.

use service::database::{self, Deadlines};
use sqlx::PgConnection;
use std::time::{Duration, Instant};

/// Rows in a round up to which plans are kept from round to round.
const FEW: usize = 64;
/// How long a plan is kept.
const KEPT: Duration = Duration::from_secs(2);

/// Connects, for rounds of work that can be done again after a crash of the server: within the deadlines of
/// [`Deadlines::ROUNDS`], unless [`take_time`] lifts them.
///
/// # Errors
/// The database's.
pub async fn connect(url: &str) -> Result<PgConnection, sqlx::Error> {
    database::connect_relaxed(url, Deadlines::ROUNDS).await
}

/// Connects for looks at what is told there, and for changes that have to outlive a crash of the server.
///
/// # Errors
/// The database's.
pub async fn connect_durable(url: &str) -> Result<PgConnection, sqlx::Error> {
    database::connect(url, Deadlines::ROUNDS).await
}

/// Lets statements of this connection, and locks, take as long as they do, for work whose size nobody bounds: composing all
/// that is below a category, making an index, rebuilding, beginning an epoch. A transaction in which nothing happens is
/// still ended.
///
/// # Errors
/// The database's.
pub async fn take_time(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("SET statement_timeout = 0; SET lock_timeout = 0").execute(connection).await?;
    Ok(())
}

/// Whether a statement gave up waiting for a lock: `lock_not_available`, as PostgreSQL's documentation numbers it.
#[must_use]
pub fn is_lock_timeout(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(told) if told.code().as_deref() == Some("55P03"))
}

/// How the statements of one connection are planned, round by round.
///
/// For a round of a few rows planning costs more than what is planned (60 % of PostgreSQL's time for the views at 200
/// writes a second), so plans are kept, for a while; a round of many is planned for what it brings.
#[derive(Debug, Default)]
pub struct Plans {
    /// Since when plans are kept, if they are.
    since: Option<Instant>,
}

impl Plans {
    /// Prepares the connection for a round of so many rows.
    ///
    /// # Errors
    /// The database's.
    pub async fn suit(&mut self, connection: &mut PgConnection, rows: usize) -> Result<(), sqlx::Error> {
        if rows > FEW {
            self.anew(connection).await?;
        } else if self.since.is_none_or(|since| since.elapsed() >= KEPT) {
            sqlx::raw_sql("SET plan_cache_mode = force_generic_plan; DISCARD PLANS").execute(connection).await?;
            self.since = Some(Instant::now());
        }
        Ok(())
    }

    /// Has every statement planned for the values it is given, as those have to be that ask for what is older than
    /// something: of a table of a million rows it is nothing or all, and a plan for either reads a third.
    ///
    /// # Errors
    /// The database's.
    pub async fn anew(&mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.since.take().is_some() {
            sqlx::raw_sql("SET plan_cache_mode = force_custom_plan").execute(connection).await?;
        }
        Ok(())
    }
}
