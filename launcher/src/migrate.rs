//! Creates and migrates the two databases: `migrations/write` and `migrations/read`, built in.

use crate::{
    LaunchError,
    backup::{Which, safe_url},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, migrate::Migrator};
use std::collections::BTreeMap;

static WRITE: Migrator = sqlx::migrate!("../migrations/write");
static READ: Migrator = sqlx::migrate!("../migrations/read");

/// Create or migrate the write and the read database, and exit
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Example:\n  souk migrate --write-database-url postgres://souk@db/souk_write --read-database-url postgres://souk@db/souk_read"
)]
pub struct Args {
    /// TOML file with these settings; its keys are the flags without dashes in front
    #[arg(long, env = "SOUK_CONFIG")]
    pub config: Option<std::path::PathBuf>,
    /// URL of the write database
    #[arg(long, env = "SOUK_WRITE_DATABASE_URL", hide_env_values = true)]
    pub write_database_url: String,
    /// URL of the read database; its role must be allowed to create the extension vector and the role souk_query
    #[arg(long, env = "SOUK_READ_DATABASE_URL", hide_env_values = true)]
    pub read_database_url: String,
}

/// Migrates both databases, creating them where they are missing.
///
/// # Errors
/// [`LaunchError::Database`] names the database and what it said.
pub async fn run(write_url: &str, read_url: &str) -> Result<(), LaunchError> {
    for (url, which) in [(write_url, Which::Write), (read_url, Which::Read)] {
        create(url).await?;
        let mut connection = PgConnection::connect(url).await.map_err(|error| failed(url, &error))?;
        apply(which, url, &mut connection).await?;
    }
    Ok(())
}

/// Migrates a database that is there. What a newer release has added stays, and is told of: after a rolling update that
/// was taken back, this release works with it.
///
/// # Errors
/// [`LaunchError::Database`] names the database and what it said, such as that a migration is another than this program's.
pub async fn apply(which: Which, url: &str, connection: &mut PgConnection) -> Result<(), LaunchError> {
    let newer = newer(which, connection).await.map_err(|error| failed(url, &error))?;
    // Told apart from what is merely unknown: a gap below the newest is somebody else's schema, which is refused.
    let mut migrator = Migrator::with_migrations(migrator(which).iter().cloned().collect());
    migrator.set_ignore_missing(!newer.is_empty());
    migrator.run_direct(None, connection, false).await.map_err(|error| failed(url, &error))?;
    if !newer.is_empty() {
        let newer: Vec<String> = newer.iter().map(ToString::to_string).collect();
        let newer = newer.join(", ");
        eprintln!("note: the {which} database has migrations of a newer release ({newer}); they stay");
    }
    Ok(())
}

/// The migrations of a newer release, if all that this one does not know are newer than its own.
async fn newer(which: Which, connection: &mut PgConnection) -> Result<Vec<i64>, sqlx::Error> {
    let table: Option<String> =
        sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations')::text").fetch_one(&mut *connection).await?;
    if table.is_none() {
        return Ok(Vec::new());
    }
    let applied: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version").fetch_all(connection).await?;
    let newest = migrator(which).iter().map(|migration| migration.version).max().unwrap_or_default();
    let (older, newer): (Vec<i64>, Vec<i64>) = applied.into_iter().partition(|version| *version <= newest);
    let is_own = older.iter().all(|version| migrator(which).version_exists(*version));
    Ok(if is_own { newer } else { Vec::new() })
}

/// Whether this program knows the migrations of a backup, by number and SHA-384: an older backup is migrated
/// after its restore, one of a newer souk can't be used.
///
/// # Errors
/// A sentence that names the first migration that is not known.
pub fn check_known(which: Which, applied: &BTreeMap<i64, String>) -> Result<(), LaunchError> {
    let known: BTreeMap<i64, String> =
        migrator(which).iter().map(|migration| (migration.version, hex::encode(&migration.checksum))).collect();
    match applied.iter().find(|(version, checksum)| known.get(version) != Some(checksum)) {
        None => Ok(()),
        Some((version, _)) => Err(LaunchError::Other(format!(
            "the backup's {which} database has migration {version}, which this souk {} does not know so; restore it with the version that made it",
            env!("CARGO_PKG_VERSION")
        ))),
    }
}

const fn migrator(which: Which) -> &'static Migrator {
    match which {
        Which::Write => &WRITE,
        Which::Read => &READ,
    }
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
    LaunchError::Database { url: safe_url(url), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_of_a_newer_or_changed_schema_is_refused() {
        let own: BTreeMap<i64, String> =
            WRITE.iter().map(|migration| (migration.version, hex::encode(&migration.checksum))).collect();
        assert!(check_known(Which::Write, &own).is_ok());
        let older: BTreeMap<i64, String> = own.clone().into_iter().take(2).collect();
        assert!(check_known(Which::Write, &older).is_ok());
        for (version, checksum) in [(9_999, "00"), (1, "00")] {
            let mut other = own.clone();
            other.insert(version, checksum.to_owned());
            let error = check_known(Which::Write, &other).expect_err("refused").to_string();
            assert!(error.contains(&format!("migration {version}")), "{error}");
        }
    }
}
