//! souk's write side. A command comes in over HTTP, an aggregate decides it, and one transaction
//! keeps the new state and the events.
//!
//! | path | what is there |
//! |---|---|
//! | [`config`] | the flags |
//! | `callers` | whose a key or an access token is |
//! | [`clock`] | where time and ids come from |
//! | `contexts` | the slices, one per bounded context: its rules, tables, use cases and routes |
//! | `domain` | what the rules of all contexts are made of |
//! | `pipeline` | how a command becomes a state and events, the same way for all |
//! | `http` | what all routes share: tenants, idempotency keys, bulk streams, problems |
//! | [`jobs`] | partitions for months to come, the end of idempotency keys, of old carts and of deleted shops |
//! | [`mail`] | how mail leaves the house |
//! | [`oidc`] | what identity providers say of people |
//! | [`providers`] | payment providers, behind one port |
//! | `reads` | query-api, which is asked whether reads see a command |
//! | [`vault`], [`passwords`], [`second_factor`] | sealing what is personal, hashing passwords, one-time codes |
//! | `wake` | the signal to the relay |

mod callers;
pub mod clock;
pub mod config;
mod contexts;
mod domain;
mod health;
mod http;
pub mod jobs;
pub mod mail;
pub mod oidc;
pub mod passwords;
mod pipeline;
pub mod providers;
mod reads;
pub mod second_factor;
pub mod vault;
mod wake;

use access::{AdminKey, CallerRates, Callers, Rates};
use callers::StoredKeys;
use clock::{Clock, SystemClock};
use config::{Config, WriteRole};
use contexts::{
    PROCESSES,
    access::process::note_used,
    accounts::{
        port::Accounts,
        process::{Mails, Sending},
    },
    payments::{
        port::parts::Payments,
        process::{self as paying, Work},
    },
    tenants::port::Directory,
};
use mail::{MailError, Mailer};
use oidc::{Providers, reach::Reach};
use pipeline::{
    App, BulkLimits, Groups,
    allowance::Counts,
    database::Database,
    metrics::CommandMetrics,
    process::{metrics::ProcessMetrics, registered::Processes, runner::Runner},
};
use providers::{connection::Connection, stripe};
use reads::Reads;
use schemas::TimeDelta;
use service::{
    Health, Metrics, Refusals, Supervisor,
    database::{self, Deadlines, PoolOptions},
    http::ServeError,
    shutdown::Shutdown,
};
use sqlx::postgres::PgConnectOptions;
use std::{num::NonZeroU32, str::FromStr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use url::Url;
use wake::Waker;

/// The service can't start, or broke.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The address of the database can't be read.
    #[error("--write-database-url can't be understood: {0}")]
    DatabaseUrl(sqlx::Error),
    /// It is production, and some settings are for development.
    #[error("--production: {0}")]
    Production(String),
    /// Mails can't be sent that way.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// Identity providers can't be spoken to.
    #[error("identity providers can't be asked: {0}")]
    Providers(reqwest::Error),
    /// Payment providers can't be spoken to.
    #[error("payment providers can't be asked: {0}")]
    PaymentProviders(String),
    /// query-api can't be asked.
    #[error("query-api can't be asked: {0}")]
    Reads(reqwest::Error),
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
    let refused = config.refused();
    if !refused.is_empty() {
        return Err(RunError::Production(refused.join("; ")));
    }
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
    let providers = providers(config.accounts.local_issuers)?;
    let accounts = Accounts::new(config.accounts.master_keys.clone(), config.accounts.token_algorithm, providers);
    let supervisor = Supervisor::new(health.clone(), &metrics);
    let database = Database::new(pool.clone());
    let sending = sending(&config, &database, &clock, &accounts, &metrics)?;
    let mut tasks = vec![
        supervisor.spawn("wakes", waker.clone().run(connect, shutdown.clone())),
        supervisor.spawn("health", health::watch(pool.clone(), health.clone(), shutdown.clone())),
    ];
    tasks.extend(sending.map(|sending| supervisor.spawn("mails", sending.run(shutdown.clone()))));
    let refusals = Refusals::new(&metrics);
    let app = App {
        database: database.clone(),
        clock,
        waker,
        metrics: CommandMetrics::new(&metrics),
        refusals: refusals.clone(),
        bulk: BulkLimits::new(config.bulk, config.write_connections),
        tenants: Directory::default(),
        accounts,
        payments: payments(config.stripe_url.as_deref())?,
        rates: Rates::of_shops(NonZeroU32::new(config.shop_commands_per_second), |quotas| quotas.commands_per_second),
        counts: Counts::default(),
        callers: Callers::new(
            AdminKey::new(config.admin_key.as_deref()),
            StoredKeys { database },
            config.shop_domain.clone(),
        )
        .with_rates(CallerRates::new(NonZeroU32::new(config.caller_requests_per_second))),
        most_attributes: usize::try_from(config.attribute_names).unwrap_or(usize::MAX),
        processes: Processes::new(&PROCESSES),
        groups: Groups::default(),
    };
    let cart_age = TimeDelta::days(i64::from(config.cart_days));
    let jobs = jobs::list(of_jobs(&config)?, key_age, cart_age, &metrics, &app);
    if config.write_roles.contains(&WriteRole::Jobs) {
        tasks.push(supervisor.spawn("jobs", jobs.run(shutdown.clone())));
    }
    tasks.push(supervisor.spawn("key-uses", note_used(app.clone(), shutdown.clone())));
    let runner = runner(&app, &config, &metrics);
    tasks.extend(runner.map(|runner| supervisor.spawn("processes", runner.run(shutdown.clone()))));
    let reads = Reads::new(config.query_url, &metrics).map_err(RunError::Reads)?;
    let work = Work::new(&metrics);
    tasks.push(supervisor.spawn("payments", paying::run(app.clone(), work, shutdown.clone())));
    let router = http::router(app, reads).merge(health.routes()).merge(metrics.routes());
    let served = service::http::serve(listener, http::finish(router), config.http, refusals, shutdown.clone()).await;
    shutdown.trigger();
    for task in tasks {
        // They end by the shutdown.
        let _ = task.await;
    }
    pool.close().await;
    Ok(served?)
}

/// Connections of jobs. They have deadlines of their own, and what ends, ends in every shop.
fn of_jobs(config: &Config) -> Result<PgConnectOptions, RunError> {
    let own = PgConnectOptions::from_str(&config.write_database_url).map_err(RunError::DatabaseUrl)?;
    Ok(own.options([("souk.scope", "installation")]))
}

/// What carries processes on, if this process does. Half of the connections are left to commands.
fn runner(app: &App, config: &Config, metrics: &Metrics) -> Option<Runner> {
    let most = usize::try_from(config.write_connections / 2).unwrap_or(usize::MAX).clamp(1, 16);
    let runner = || Runner { app: app.clone(), metrics: ProcessMetrics::new(metrics), most };
    config.write_roles.contains(&WriteRole::Processes).then(runner)
}

/// What speaks to identity providers.
fn providers(local: bool) -> Result<Providers, RunError> {
    if local {
        tracing::warn!("identity providers may be in private networks: --local-issuers is for development");
    }
    Providers::new(if local { Reach::Local } else { Reach::Public }).map_err(RunError::Providers)
}

/// How payment providers are reached; `stripe` is another address than Stripe's own.
fn payments(stripe: Option<&str>) -> Result<Payments, RunError> {
    let failed = |error: &dyn std::fmt::Display| RunError::PaymentProviders(error.to_string());
    if stripe.is_some() {
        tracing::warn!("payments go to another address than Stripe's: --stripe-url is for development");
    }
    let reach = if stripe.is_some() { Reach::Local } else { Reach::Public };
    let address = Url::parse(stripe.unwrap_or(stripe::ADDRESS)).map_err(|error| failed(&error))?;
    let connection = Connection::new(reach).map_err(|error| failed(&error))?;
    Ok(Payments::new(connection, address))
}

/// What sends mails, if the installation has accounts and says where mails go.
fn sending(
    config: &Config,
    database: &Database,
    clock: &Arc<dyn Clock>,
    accounts: &Accounts,
    metrics: &Metrics,
) -> Result<Option<Sending>, RunError> {
    if accounts.get().is_none() {
        tracing::info!("there are no accounts of shoppers: --master-keys is not set");
        return Ok(None);
    }
    let Some(url) = &config.accounts.mail_url else {
        tracing::warn!("mails of accounts wait: --mail-url is not set");
        return Ok(None);
    };
    let mailer = Mailer::new(url, &config.accounts.mail_from)?;
    let (database, clock, mails) = (database.clone(), Arc::clone(clock), Mails::new(metrics));
    Ok(Some(Sending { database, clock, mailer, accounts: accounts.clone(), mails }))
}

/// The OpenAPI document of the HTTP interface, as pretty JSON.
#[must_use]
pub fn openapi_json() -> String {
    http::openapi::json()
}
