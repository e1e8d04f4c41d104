//! `pg_dump` and `pg_restore` of the PostgreSQL package, and a database as of one moment.

use super::{
    manifest::{Database, Which, sha256},
    step::{Step, bytes},
};
use crate::{LaunchError, artifacts::Artifacts};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{
    collections::BTreeMap,
    io::{Read, Seek},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

/// How often a running tool is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Compression of the dump: most of the gain for a third of the time.
const COMPRESSION: &str = "--compress=gzip:2";

/// PostgreSQL's own programs. Those of version 18 work with servers of that version and older.
#[derive(Debug, Clone)]
pub struct Tool {
    install: PathBuf,
}

impl Tool {
    /// The package's programs, fetched if they are not there.
    ///
    /// # Errors
    /// If they can't be fetched.
    pub fn fetch(artifacts: &Artifacts) -> Result<Self, LaunchError> {
        tokio::task::block_in_place(|| artifacts.fetch_postgres())?;
        Ok(Self { install: artifacts.postgres() })
    }

    /// A command of a program for a database; a password goes by the environment, where others can't see it.
    #[must_use]
    pub fn command(&self, program: &str, url: &str) -> Command {
        let mut command = Command::new(self.install.join("bin").join(program));
        command.env("LD_LIBRARY_PATH", self.install.join("lib")).env_remove("PGDATA");
        let (bare, password) = apart(url).unwrap_or_else(|| (url.to_owned(), None));
        if let Some(password) = password {
            command.env("PGPASSWORD", password);
        }
        command.arg(format!("--dbname={bare}"));
        command
    }
}

/// A database's URL without its password. One that can't be understood is not shown at all.
#[must_use]
pub fn safe_url(url: &str) -> String {
    apart(url).map_or_else(|| "with a URL that can't be understood".to_owned(), |(bare, _)| bare)
}

/// A database's URL without its password, and the password; none for what is no URL.
fn apart(url: &str) -> Option<(String, Option<String>)> {
    let mut parsed = url::Url::parse(url).ok()?;
    let decoded = |text: &str| {
        // A plus sign stands for itself here.
        let text = format!("={}", text.replace('+', "%2B"));
        url::form_urlencoded::parse(text.as_bytes()).next().map(|(_, text)| text.into_owned())
    };
    let mut password = parsed.password().and_then(decoded);
    // A URL that can have no password has none.
    let _ = parsed.set_password(None);
    let settings = parsed.query().unwrap_or_default().split('&').filter(|setting| !setting.is_empty());
    let (secret, open): (Vec<&str>, Vec<&str>) = settings.partition(|setting| setting.starts_with("password="));
    password = secret.last().and_then(|setting| decoded(setting.trim_start_matches("password="))).or(password);
    let open = open.join("&");
    parsed.set_query(Some(open.as_str()).filter(|open| !open.is_empty()));
    Some((parsed.to_string(), password))
}

/// Runs a program to its end, asking `how_far` it is ten times a second.
///
/// # Errors
/// If it can't be run or fails, with the last it said.
pub async fn run_to_end(
    mut command: Command,
    mut step: Step,
    mut how_far: impl FnMut() -> String,
) -> Result<(), LaunchError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |error: std::io::Error| LaunchError::Other(format!("{name} could not be run: {error}"));
    let mut said = tempfile::tempfile().map_err(failed)?;
    let output = said.try_clone().map_err(failed)?;
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(output).spawn().map_err(failed)?;
    let mut ticks = tokio::time::interval(LOOK);
    let status = loop {
        ticks.tick().await;
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        step.at(&how_far());
    };
    if status.success() {
        step.done(&how_far());
        return Ok(());
    }
    let mut text = String::new();
    // What can't be read can't be told.
    let _ = said.rewind().and_then(|()| said.read_to_string(&mut text));
    let last: Vec<&str> = text.lines().rev().filter(|line| !line.trim().is_empty()).take(3).collect();
    Err(LaunchError::Other(format!("{name} failed: {}", last.into_iter().rev().collect::<Vec<_>>().join(" | "))))
}

/// A database as of one moment: a transaction that sees nothing newer, which a dump shares.
#[derive(Debug)]
pub struct Snapshot {
    url: String,
    id: String,
    connection: PgConnection,
}

impl Snapshot {
    /// Begins it.
    ///
    /// # Errors
    /// [`LaunchError::Database`].
    pub async fn take(url: &str) -> Result<Self, LaunchError> {
        let failed = |error: sqlx::Error| LaunchError::Database { url: safe_url(url), reason: error.to_string() };
        let mut connection = PgConnection::connect(url).await.map_err(failed)?;
        sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .execute(&mut connection)
            .await
            .map_err(failed)?;
        let id = sqlx::query_scalar("SELECT pg_export_snapshot()").fetch_one(&mut connection).await.map_err(failed)?;
        Ok(Self { url: url.to_owned(), id, connection })
    }

    /// Dumps it into a folder and tells what was dumped.
    ///
    /// # Errors
    /// The database's or the file's.
    pub async fn dump(mut self, tool: &Tool, which: Which, folder: &Path) -> Result<Database, LaunchError> {
        let failed = |error: sqlx::Error| LaunchError::Database { url: safe_url(&self.url), reason: error.to_string() };
        let tables = count_rows(&mut self.connection).await.map_err(failed)?;
        let migrations = migrations(&mut self.connection).await.map_err(failed)?;
        let server_version: String =
            sqlx::query_scalar("SHOW server_version").fetch_one(&mut self.connection).await.map_err(failed)?;
        let file = format!("{which}.dump");
        let path = folder.join(&file);
        let mut command = tool.command("pg_dump", &self.url);
        command.args(["--format=custom", COMPRESSION, "--no-owner"]);
        // The owner sees every row, by a policy.
        command.arg("--enable-row-security");
        command.arg(format!("--snapshot={}", self.id)).arg("--file").arg(&path);
        let length = || std::fs::metadata(&path).map_or(0, |data| data.len());
        run_to_end(command, Step::begin(format!("dumping the {which} database")), || bytes(length())).await?;
        let sha256 = tokio::task::block_in_place(|| sha256(&path))?;
        // The transaction has nothing to keep.
        let _ = self.connection.close().await;
        Ok(Database { bytes: length(), file, sha256, server_version, migrations, tables })
    }
}

/// Rows of each table, `schema.table`.
///
/// # Errors
/// The database's.
pub async fn count_rows(connection: &mut PgConnection) -> Result<BTreeMap<String, i64>, sqlx::Error> {
    let names: Vec<String> = sqlx::query_scalar(
        // A table in partitions has no rows of its own.
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut tables = BTreeMap::new();
    for name in names {
        let sql = format!("SELECT count(*) FROM {name}");
        let rows = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *connection).await?;
        tables.insert(name, rows);
    }
    Ok(tables)
}

/// The migrations a database has, with their checksums.
async fn migrations(connection: &mut PgConnection) -> Result<BTreeMap<i64, String>, sqlx::Error> {
    let rows: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations WHERE success").fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(version, checksum)| (version, hex::encode(checksum))).collect())
}

#[cfg(test)]
mod tests {
    use super::{apart, safe_url};

    #[test]
    fn no_password_is_shown() {
        for (url, shown) in [
            ("postgres://souk:s3cret@db/souk_read", "postgres://souk@db/souk_read"),
            (
                "postgres://souk@db/souk_read?sslmode=require&password=s3cret",
                "postgres://souk@db/souk_read?sslmode=require",
            ),
            ("postgres://souk@db/souk_read", "postgres://souk@db/souk_read"),
            ("postgres://souk:s3/cret@db/souk_read", "with a URL that can't be understood"),
        ] {
            assert_eq!(safe_url(url), shown);
        }
        let (bare, password) = apart("postgres://souk:a%2Fb+c@db/x?options[statement_timeout]=2min").expect("a URL");
        assert_eq!(bare, "postgres://souk@db/x?options[statement_timeout]=2min");
        assert_eq!(password.as_deref(), Some("a/b+c"));
    }
}
