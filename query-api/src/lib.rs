//! query-api: every read of souk, from models that can be thrown away and rebuilt.
//!
//! A request goes [`http`] (parse, tenant) -> [`freshness`] (wait for what the client's token names) ->
//! [`queries`] (one indexed lookup, or a search of the [`index`]) -> [`cache`]. Nothing here writes, and
//! nothing here knows the write database.
//!
//! To add a read: a query in `queries/`, a route in `http/`, named in [`http::router`].

pub mod cache;
pub mod changes;
pub mod config;
pub mod cursor;
pub mod freshness;
pub mod http;
pub mod index;
pub mod metrics;
pub mod queries;
pub mod ranking;
mod renewed;
pub mod steering;
pub mod vectors;

use config::Config;
use freshness::Freshness;
use service::{Health, database, database::PoolOptions, shutdown::Shutdown};
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};

/// What every route needs.
#[derive(Debug, Clone)]
pub struct App {
    /// The read database.
    pub pool: PgPool,
    /// The active index generation.
    pub index: index::ActiveIndex,
    /// Query texts to vectors.
    pub vectors: vectors::QueryVectors,
    /// Waiting for tokens.
    pub freshness: Freshness,
    /// Answers kept for a moment.
    pub cache: cache::Cache,
    /// States of the index that cursors point to.
    pub cursors: cursor::Kept,
    /// What staff have defined.
    pub defined: queries::defined::Defined,
    /// What shoppers like.
    pub popularity: queries::popularity::Popularity,
    /// Slugs to tenants.
    pub tenants: queries::tenants::Tenants,
    /// What is counted.
    pub metrics: metrics::Metrics,
    /// What staff do, and where it is passed on to.
    pub operations: http::Operations,
    /// Searches at the same time.
    pub search_permits: Arc<tokio::sync::Semaphore>,
}

/// Any failure at start.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// Serves until shutdown.
///
/// # Errors
/// If the address can't be served or the database's URL is wrong.
pub async fn run(config: Config, shutdown: Shutdown) -> Result<(), StartError> {
    let registry = service::Metrics::default();
    let health = Health::default();
    let options = PoolOptions {
        max_connections: config.query_connections,
        relaxed_durability: false,
        application_name: "souk-query-api".to_owned(),
    };
    let pool = database::pool(&config.query_database_url, &options)?;
    for part in ["database", "index"] {
        health.expect(part);
    }
    let changes = changes::listen(config.query_database_url.clone());
    let vectors = vectors::QueryVectors::new(config.models());
    let index = index::ActiveIndex::watch(
        pool.clone(),
        config.index_dir.clone(),
        config.query_listen,
        vectors.clone(),
        health.clone(),
    );
    let app = App {
        freshness: Freshness::new(pool.clone(), changes.clone(), index.clone()),
        popularity: queries::popularity::Popularity::new(pool.clone()),
        defined: queries::defined::Defined::new(pool.clone(), changes.clone()),
        cache: cache::Cache::new(changes),
        cursors: cursor::kept(),
        tenants: queries::tenants::Tenants::new(pool.clone()),
        metrics: metrics::Metrics::new(&registry),
        search_permits: Arc::new(tokio::sync::Semaphore::new(config.search_concurrency.max(1))),
        operations: http::Operations {
            key: config.staff_key.clone(),
            url: config.operations_url.clone(),
            http: reqwest::Client::new(),
        },
        vectors,
        index,
        pool: pool.clone(),
    };
    tokio::spawn(watch_database(pool, health.clone()));
    let listener = service::http::bind(config.query_listen).await?;
    let router = http::router(app).merge(health.routes()).merge(registry.routes());
    Ok(service::http::serve(listener, router, shutdown).await?)
}

/// Asks the database once a second whether it answers and is migrated.
async fn watch_database(pool: PgPool, health: Health) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        match sqlx::query("SELECT 1 FROM checkpoints LIMIT 1").fetch_optional(&pool).await {
            Ok(_) => health.set("database", true, ""),
            Err(error) => health.set("database", false, &error.to_string()),
        }
    }
}
