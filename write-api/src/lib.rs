//! souk's write side. A command comes in over HTTP, an aggregate decides it, and one transaction
//! keeps the new state and the events.
//!
//! | path | what is there |
//! |---|---|
//! | [`config`] | the flags |
//! | [`clock`] | where time and ids come from |
//! | `contexts` | the slices, one per bounded context: its rules, tables, use cases and routes |
//! | `domain` | what the rules of all contexts are made of |
//! | `pipeline` | how a command becomes a state and events, the same way for all |
//! | `http` | what all routes share: tenants, idempotency keys, bulk streams, problems |
//! | [`jobs`] | partitions for months to come, the end of idempotency keys |
//! | `wake` | the signal to the relay |

pub mod clock;
pub mod config;
mod contexts;
mod domain;
mod health;
mod http;
pub mod jobs;
mod pipeline;
mod wake;

use access::{AdminKey, Callers, Rates};
use clock::{Clock, SystemClock};
use config::Config;
use contexts::{access::port::StoredKeys, tenants::port::Directory};
use pipeline::{App, BulkLimits, metrics::CommandMetrics};
use service::{
    Health, Metrics, Refusals, Supervisor,
    database::{self, Deadlines, PoolOptions},
    http::ServeError,
    shutdown::Shutdown,
};
use sqlx::postgres::PgConnectOptions;
use std::{num::NonZeroU32, str::FromStr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use wake::Waker;

/// The service can't start, or broke.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The address of the database can't be read.
    #[error("--write-database-url can't be understood: {0}")]
    DatabaseUrl(sqlx::Error),
    /// Serving failed.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Serves commands until shutdown.
///
/// # Errors
/// [`RunError`] if the address is in use or the database's address makes no sense. A database that
/// is away is no error: the service is not ready until it is back.
pub async fn run(config: Config, shutdown: Shutdown) -> Result<(), RunError> {
    let listener = service::http::bind(config.write_listen).await?;
    serve(listener, config, Arc::new(SystemClock), shutdown).await
}

/// Serves on a listener that is bound already, by the time of this clock; [`run`] otherwise.
///
/// # Errors
/// [`RunError`]
pub async fn serve(
    listener: TcpListener,
    config: Config,
    clock: Arc<dyn Clock>,
    shutdown: Shutdown,
) -> Result<(), RunError> {
    let options = PoolOptions {
        max_connections: config.write_connections,
        relaxed_durability: false,
        deadlines: Deadlines {
            statement: Duration::from_millis(config.write_statement_ms),
            lock: Duration::from_millis(config.write_lock_ms),
            ..Deadlines::REQUESTS
        },
        application_name: "souk write-api".to_owned(),
    };
    let pool = database::pool(&config.write_database_url, &options).map_err(RunError::DatabaseUrl)?;
    let (health, metrics, waker) = (Health::default(), Metrics::default(), Waker::default());
    let connect = pool.connect_options().as_ref().clone().application_name("souk write-api wake");
    let key_age = Duration::from_secs(u64::from(config.idempotency_key_hours) * 60 * 60);
    // Jobs have deadlines of their own.
    let own = PgConnectOptions::from_str(&config.write_database_url).map_err(RunError::DatabaseUrl)?;
    let jobs = jobs::list(own, key_age, &metrics, Arc::clone(&clock));
    let supervisor = Supervisor::new(health.clone(), &metrics);
    let tasks = [
        supervisor.spawn("jobs", jobs.run(shutdown.clone())),
        supervisor.spawn("wakes", waker.clone().run(connect, shutdown.clone())),
        supervisor.spawn("health", health::watch(pool.clone(), health.clone(), shutdown.clone())),
    ];
    let refusals = Refusals::new(&metrics);
    let app = App {
        pool: pool.clone(),
        clock,
        waker,
        metrics: CommandMetrics::new(&metrics),
        refusals: refusals.clone(),
        bulk: BulkLimits::new(config.bulk, config.write_connections),
        tenants: Directory::default(),
        rates: Rates::of_shops(NonZeroU32::new(config.shop_commands_per_second)),
        callers: Callers::new(
            AdminKey::new(config.admin_key.as_deref()),
            StoredKeys { pool: pool.clone() },
            config.shop_domain,
        ),
        most_attributes: usize::try_from(config.attribute_names).unwrap_or(usize::MAX),
    };
    let router = http::router(app).merge(health.routes()).merge(metrics.routes());
    let served = service::http::serve(listener, http::finish(router), config.http, refusals, shutdown.clone()).await;
    shutdown.trigger();
    for task in tasks {
        // They end by the shutdown.
        let _ = task.await;
    }
    pool.close().await;
    Ok(served?)
}

/// The OpenAPI document of the HTTP interface, as pretty JSON.
#[must_use]
pub fn openapi_json() -> String {
    http::openapi::json()
}
