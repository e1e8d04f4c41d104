//! PostgreSQL connection pools.

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use std::{str::FromStr, time::Duration};

/// How a pool is opened.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// Most connections.
    pub max_connections: u32,
    /// `synchronous_commit = off`: for data that is replayed from Kafka after a crash.
    pub relaxed_durability: bool,
    /// Shown in `pg_stat_activity`.
    pub application_name: String,
}

/// Opens a pool without waiting for the first connection; requests wait up to five seconds for one.
///
/// # Errors
/// If the URL can't be parsed.
pub fn pool(url: &str, options: &PoolOptions) -> Result<PgPool, sqlx::Error> {
    let mut connect = PgConnectOptions::from_str(url)?.application_name(&options.application_name);
    // A generic plan chosen for one tenant or filter is the wrong one for the next.
    let mut settings = vec![("plan_cache_mode", "force_custom_plan")];
    if options.relaxed_durability {
        settings.push(("synchronous_commit", "off"));
    }
    connect = connect.options(settings);
    Ok(PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(Duration::from_secs(5))
        .connect_lazy_with(connect))
}
