//! query-api: every read of souk, from models that can be thrown away and rebuilt.
//!
//! A request goes [`http`] -> a read model in [`reads`]: its route takes the tenant and the token ([`request`]), waits
//! for what the token names ([`freshness`]), and answers by one indexed lookup or a search of the [`index`], from the
//! [`cache`] where it can. Nothing here writes, and nothing here knows the write database.
//!
//! To add a read model: a file in `reads/`, and its line in [`reads::ALL`].

pub mod accounts;
pub mod app;
pub mod cache;
pub mod changes;
pub mod config;
pub mod cursor;
pub mod defined;
pub mod definitions;
mod example;
pub mod freshness;
pub mod goods;
pub mod http;
pub mod index;
pub mod keys;
pub mod metrics;
pub mod operations;
pub mod pieces;
pub mod popularity;
pub mod previews;
pub mod problem;
pub mod promotions;
pub mod ranking;
pub mod read_model;
pub mod reads;
mod renewed;
pub mod request;
mod rows;
pub mod shop_settings;
pub mod steering;
pub mod tenants;
pub mod vectors;
pub mod view;

use app::App;
use config::Config;
use service::{
    Health, Refusals, Supervisor,
    database::{self, Deadlines, PoolOptions},
    shutdown::Shutdown,
};
use sqlx::PgPool;
use std::time::Duration;

/// Any failure at start.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// Serves until shutdown.
///
/// # Errors
/// If the address can't be served or the database's URL is wrong.
pub async fn run(config: Config, shutdown: Shutdown) -> Result<(), StartError> {
    if let Some(weakness) = access::key::weakness(config.admin_key.as_deref()).filter(|_| config.production) {
        return Err(format!("--production: {weakness}").into());
    }
    let registry = service::Metrics::default();
    let health = Health::default();
    let options = PoolOptions {
        max_connections: config.query_connections,
        relaxed_durability: false,
        deadlines: Deadlines::REQUESTS,
        application_name: "souk-query-api".to_owned(),
    };
    let pool = database::pool(&config.query_database_url, &options)?;
    index::check(&pool, &config.index_dir, config.node.as_deref()).await?;
    for part in ["database", "index"] {
        health.expect(part);
    }
    let supervisor = Supervisor::new(health.clone(), &registry);
    let changes = changes::listen(config.query_database_url.clone(), &supervisor);
    let app = App::new(&config, pool.clone(), changes, &supervisor, &registry, shutdown.clone());
    if let (Some(write_api), false) = (app.write_api.clone(), app.operations.key.is_empty()) {
        supervisor.spawn("key-uses", accounts::tell_used(write_api, app.operations.key.clone(), app.callers.used()));
    }
    supervisor.spawn("watch-database", watch_database(pool, health.clone()));
    let listener = service::http::bind(config.query_listen).await?;
    let router = http::router(app).merge(health.routes()).merge(registry.routes());
    let refusals = Refusals::new(&registry);
    Ok(service::http::serve(listener, router, config.http, refusals, shutdown).await?)
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
