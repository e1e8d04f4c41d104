//! Connections to PostgreSQL, none of which can hold anything for ever.
//!
//! Every session has deadlines that fit its work, and the server looks whether the client is still there: what a
//! client that hung, or was cut off, has locked is free again within the minute. Who needs another value of a setting
//! names it in the database's URL (`?options[statement_timeout]=2min`), which goes before what stands here.

use sqlx::{
    ConnectOptions, PgConnection,
    postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions},
};
use std::{str::FromStr, time::Duration};

/// How the server notices that a client is gone: after 10 s of silence it asks, every 5 s, three times; what it sends has
/// to be acknowledged within 30 s; and while it works it looks every 10 s. A socket of the same machine has no need of it.
const PRESENCE: [(&str, &str); 5] = [
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "30000"),
    ("client_connection_check_interval", "10000"),
];

/// How long the statements of a session may take. Zero stands for as long as it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// For a statement as a whole (`statement_timeout`).
    pub statement: Duration,
    /// For one lock (`lock_timeout`).
    pub lock: Duration,
    /// For a transaction in which nothing happens (`idle_in_transaction_session_timeout`); then the session ends.
    pub idle_in_transaction: Duration,
}

impl Deadlines {
    /// For requests that somebody waits for.
    pub const REQUESTS: Self = Self {
        statement: Duration::from_secs(30),
        lock: Duration::from_secs(10),
        idle_in_transaction: Duration::from_secs(30),
    };
    /// For rounds of bounded size that are done again when they fail.
    pub const ROUNDS: Self = Self {
        statement: Duration::from_secs(60),
        lock: Duration::from_secs(30),
        idle_in_transaction: Duration::from_secs(60),
    };
    /// For what legitimately takes long: rebuilding, verifying, making an index, deleting what is old.
    pub const LONG_WORK: Self =
        Self { statement: Duration::ZERO, lock: Duration::ZERO, idle_in_transaction: Duration::from_secs(15 * 60) };

    /// As settings of a session.
    fn settings(self) -> [(&'static str, String); 3] {
        [
            ("statement_timeout", self.statement.as_millis().to_string()),
            ("lock_timeout", self.lock.as_millis().to_string()),
            ("idle_in_transaction_session_timeout", self.idle_in_transaction.as_millis().to_string()),
        ]
    }
}

/// Statements that a connection keeps prepared. write-api has some three hundred; with fewer than are used by turns, each is parsed and
/// planned anew each time.
const PREPARED: usize = 512;

/// How a pool is opened.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// Most connections.
    pub max_connections: u32,
    /// `synchronous_commit = off`: for data that is replayed from Kafka after a crash.
    pub relaxed_durability: bool,
    /// How long statements may take.
    pub deadlines: Deadlines,
    /// Shown in `pg_stat_activity`.
    pub application_name: String,
}

/// Opens a pool without waiting for the first connection; requests wait up to five seconds for one.
///
/// # Errors
/// If the URL can't be parsed.
pub fn pool(url: &str, options: &PoolOptions) -> Result<PgPool, sqlx::Error> {
    let connect =
        PgConnectOptions::from_str(url)?.application_name(&options.application_name).statement_cache_capacity(PREPARED);
    let mut connect = planned(bounded(connect, options.deadlines));
    if options.relaxed_durability {
        connect = with(connect, [("synchronous_commit", "off")]);
    }
    Ok(PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(Duration::from_secs(5))
        .connect_lazy_with(connect))
}

/// Opens one connection with these deadlines.
///
/// # Errors
/// The database's, or a URL that can't be parsed.
pub async fn connect(url: &str, deadlines: Deadlines) -> Result<PgConnection, sqlx::Error> {
    bounded(PgConnectOptions::from_str(url)?, deadlines).connect().await
}

/// The same, for work that can be done again after a crash of the server: `synchronous_commit = off`.
///
/// # Errors
/// The database's, or a URL that can't be parsed.
pub async fn connect_relaxed(url: &str, deadlines: Deadlines) -> Result<PgConnection, sqlx::Error> {
    let connect = planned(bounded(PgConnectOptions::from_str(url)?, deadlines));
    with(connect, [("synchronous_commit", "off")]).connect().await
}

/// Opens a connection that hears signals. The server must notice early when nobody hears any more: it keeps what was not
/// fetched, of all databases in one queue.
///
/// # Errors
/// The database's, or a URL that can't be parsed.
pub async fn listener(url: &str) -> Result<PgListener, sqlx::Error> {
    let connect = bounded(PgConnectOptions::from_str(url)?, Deadlines::REQUESTS);
    // As many as `PgListener::connect` takes.
    let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    let mut listener = PgListener::connect_with(&pool.connect_with(connect).await?).await?;
    // The pool is the listener's alone: that it closes is no reason to end.
    listener.ignore_pool_close_event(true);
    Ok(listener)
}

/// The same options with deadlines and with what lets the server notice that this client is gone.
#[must_use]
pub fn bounded(connect: PgConnectOptions, deadlines: Deadlines) -> PgConnectOptions {
    with(with(connect, PRESENCE), deadlines.settings())
}

/// A generic plan chosen for one tenant or filter is the wrong one for the next; and one from when a table was empty reads
/// it whole when it has a million rows.
fn planned(connect: PgConnectOptions) -> PgConnectOptions {
    with(connect, [("plan_cache_mode", "force_custom_plan")])
}

/// Adds settings of the session, but none that the URL names.
fn with<V: AsRef<str>>(
    connect: PgConnectOptions,
    settings: impl IntoIterator<Item = (&'static str, V)>,
) -> PgConnectOptions {
    settings.into_iter().fold(connect, |connect, (name, value)| {
        let named = connect.get_options().is_some_and(|options| options.contains(&format!("-c {name}=")));
        if named { connect } else { connect.options([(name, value.as_ref())]) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options_of(url: &str) -> String {
        let connect = PgConnectOptions::from_str(url).expect("a URL");
        bounded(connect, Deadlines::REQUESTS).get_options().expect("settings").to_owned()
    }

    #[test]
    fn every_connection_has_deadlines_unless_the_url_names_others() {
        let plain = options_of("postgres://souk@db/souk");
        for setting in ["statement_timeout=30000", "lock_timeout=10000", "idle_in_transaction_session_timeout=30000"] {
            assert!(plain.contains(&format!("-c {setting}")), "{plain}");
        }
        assert!(plain.contains("-c tcp_keepalives_idle=10") && plain.contains("-c tcp_user_timeout=30000"), "{plain}");
        let own = options_of("postgres://souk@db/souk?options[statement_timeout]=2min");
        assert!(own.contains("-c statement_timeout=2min") && !own.contains("statement_timeout=30000"), "{own}");
        assert!(own.contains("-c lock_timeout=10000"), "{own}");
    }

    #[tokio::test]
    async fn the_server_knows_the_deadlines() {
        let Ok(url) = std::env::var("SOUK_TEST_DATABASE_URL") else {
            eprintln!("skipped: SOUK_TEST_DATABASE_URL is not set");
            return;
        };
        let mut connection = connect_relaxed(&url, Deadlines::ROUNDS).await.expect("connected");
        for (name, expected) in [
            ("statement_timeout", "1min"),
            ("lock_timeout", "30s"),
            ("idle_in_transaction_session_timeout", "1min"),
            ("client_connection_check_interval", "10s"),
            ("synchronous_commit", "off"),
            ("plan_cache_mode", "force_custom_plan"),
        ] {
            let set: String = sqlx::query_scalar("SELECT current_setting($1)")
                .bind(name)
                .fetch_one(&mut connection)
                .await
                .expect("a setting");
            assert_eq!(set, expected, "{name}");
        }
        let mut heard = listener(&url).await.expect("connected");
        heard.listen("souk_test").await.expect("listening");
        sqlx::raw_sql("NOTIFY souk_test, 'x'").execute(&mut connection).await.expect("told");
        assert_eq!(heard.recv().await.expect("heard").payload(), "x");
    }
}
