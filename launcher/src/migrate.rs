//! Creates and migrates the two databases: `migrations/write` and `migrations/read`, built in.

use crate::LaunchError;
use sqlx::{AssertSqlSafe, Connection, PgConnection, migrate::Migrator};

static WRITE: Migrator = sqlx::migrate!("../migrations/write");
static READ: Migrator = sqlx::migrate!("../migrations/read");

/// Migrate the write and the read database, as a job of its own
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Example:\n  souk migrate --write-database-url postgres://souk@db/souk_write --read-database-url postgres://souk@db/souk_read"
)]
pub struct Args {
    /// TOML file with these settings, named like the flags
    #[arg(long, env = "SOUK_CONFIG")]
    pub config: Option<std::path::PathBuf>,
    /// The write database
    #[arg(long, env = "SOUK_WRITE_DATABASE_URL")]
    pub write_database_url: String,
    /// The read database, as a role that may create the extension vector and the role souk_query
    #[arg(long, env = "SOUK_READ_DATABASE_URL")]
    pub read_database_url: String,
}

/// Migrates both databases, creating them where they are missing.
///
/// # Errors
/// [`LaunchError::Database`] names the database and what it said.
pub async fn run(write_url: &str, read_url: &str) -> Result<(), LaunchError> {
    for (url, migrator) in [(write_url, &WRITE), (read_url, &READ)] {
        create(url).await?;
        let mut connection = PgConnection::connect(url).await.map_err(|error| failed(url, &error))?;
        migrator.run_direct(None, &mut connection, false).await.map_err(|error| failed(url, &error))?;
    }
    Ok(())
}

/// Creates the database of a URL, connecting to the server's `postgres`; a role that may not create
/// databases can still use one that is there.
async fn create(url: &str) -> Result<(), LaunchError> {
    let parsed = url::Url::parse(url).map_err(|error| failed(url, &error))?;
    let name = parsed.path().trim_start_matches('/').to_owned();
    if PgConnection::connect(url).await.is_ok() {
        return Ok(());
    }
    let mut admin = parsed;
    admin.set_path("/postgres");
    let mut connection = PgConnection::connect(admin.as_str()).await.map_err(|error| failed(url, &error))?;
    let quoted = name.replace('"', "\"\"");
    match sqlx::query(AssertSqlSafe(format!("CREATE DATABASE \"{quoted}\""))).execute(&mut connection).await {
        Ok(_) => Ok(()),
        // Somebody else was faster.
        Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| code == "42P04") => Ok(()),
        Err(error) => Err(failed(url, &error)),
    }
}

fn failed(url: &str, reason: &dyn std::fmt::Display) -> LaunchError {
    let mut shown = url.to_owned();
    if let Ok(mut parsed) = url::Url::parse(url)
        && parsed.password().is_some()
        && parsed.set_password(Some("***")).is_ok()
    {
        shown = parsed.to_string();
    }
    LaunchError::Database { url: shown, reason: reason.to_string() }
}
