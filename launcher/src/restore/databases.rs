//! A database that is restored beside the one it replaces.

use crate::{
    LaunchError,
    backup::{Database, Step, Tool, Which, bytes, count_rows, run_to_end, safe_url},
    migrate,
    passwords::Role,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::path::Path;

/// Those whom dumps grant something.
const PROCESSES: [Role; 4] = [Role::Write, Role::Projector, Role::Query, Role::Reindex];

/// Where a dump goes.
#[derive(Debug)]
pub struct Target {
    /// Which of the two.
    pub which: Which,
    url: String,
    name: String,
    /// Connected to the server's own database: one can't rename what one is connected to.
    admin: PgConnection,
}

impl Target {
    /// Connects to the server.
    ///
    /// # Errors
    /// [`LaunchError::Database`].
    pub async fn open(which: Which, url: &str) -> Result<Self, LaunchError> {
        let parsed = url::Url::parse(url).map_err(|error| failed(url, &error))?;
        let name = parsed.path().trim_start_matches('/').to_owned();
        let admin = PgConnection::connect(&with_name(url, "postgres")).await.map_err(|error| failed(url, &error))?;
        Ok(Self { which, url: url.to_owned(), name, admin })
    }

    /// The database's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn aside(&self) -> String {
        format!("{}_restoring", self.name)
    }

    fn aside_url(&self) -> String {
        with_name(&self.url, &self.aside())
    }

    /// A table with something that a restore would replace, if there is one.
    ///
    /// # Errors
    /// [`LaunchError::Database`].
    pub async fn holds_data(&mut self) -> Result<Option<String>, LaunchError> {
        if !self.exists(&self.name.clone()).await? {
            return Ok(None);
        }
        let mut connection = PgConnection::connect(&self.url).await.map_err(|error| failed(&self.url, &error))?;
        let rows = count_rows(&mut connection).await.map_err(|error| failed(&self.url, &error))?;
        // What every migrated database has, and what says nothing of anybody's data.
        let own = [
            "public._sqlx_migrations",
            "public.log_epochs",
            "public.log_epoch",
            "public.projection_status",
            "public.checkpoints",
            "public.index_generations",
            "public.index_switches",
            "public.index_watches",
            "public.generation_copies",
            "public.generation_proofs",
            "public.index_nodes",
            "public.leases",
            "public.query_nodes",
            "public.reconciliations",
            "public.probes",
            "public.tenant_lag",
            "public.views_standby",
            "installation.jobs",
        ];
        Ok(rows.into_iter().find(|(table, rows)| *rows > 0 && !own.contains(&table.as_str())).map(|(table, _)| table))
    }

    /// Restores a dump into a database of another name, migrates it, and compares its rows with the manifest.
    ///
    /// # Errors
    /// If it can't be restored whole.
    pub async fn restore_aside(&mut self, tool: &Tool, file: &Path, manifest: &Database) -> Result<(), LaunchError> {
        let (aside, url) = (self.aside(), self.aside_url());
        self.run(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(&aside))).await?;
        self.run(format!("CREATE DATABASE {}", quoted(&aside))).await?;
        for role in PROCESSES.map(Role::name) {
            // Rights are given to it by the dump.
            self.run(format!(
                "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role}; END IF; END $$"
            ))
            .await?;
        }
        let mut command = tool.command("pg_restore", &url);
        // The only comment in a dump is that of an extension, which its owner alone may make.
        command.args(["--exit-on-error", "--no-owner", "--no-comments", "--jobs=2"]).arg(file);
        let step = Step::begin(format!("restoring the {} database", self.which));
        run_to_end(command, step, || bytes(manifest.bytes)).await?;
        let mut connection = PgConnection::connect(&url).await.map_err(|error| failed(&url, &error))?;
        let rows = count_rows(&mut connection).await.map_err(|error| failed(&url, &error))?;
        if let Some((table, expected)) =
            manifest.tables.iter().find(|(table, rows_then)| rows.get(*table) != Some(*rows_then))
        {
            let found = rows.get(table).copied().unwrap_or_default();
            return Err(LaunchError::Other(format!(
                "the restored table {table} has {found} rows, the manifest says {expected}. Nothing was replaced"
            )));
        }
        migrate::apply(self.which, &url, &mut connection).await?;
        connection.close().await.map_err(|error| failed(&url, &error))
    }

    /// Writes the request for a new epoch of the log into the restored database.
    ///
    /// # Errors
    /// [`LaunchError::Database`].
    pub async fn ask_for_epoch(&self, epoch: &str, reason: &str) -> Result<(), LaunchError> {
        super::recover::ask(&self.aside_url(), epoch, reason, None).await
    }

    /// Gives the restored database the name it is for; what had it is dropped, or kept under the name that is
    /// given back. Whoever is connected has to connect again.
    ///
    /// # Errors
    /// [`LaunchError::Database`].
    pub async fn take_its_name(&mut self, epoch: &str, keep: bool) -> Result<Option<String>, LaunchError> {
        let (name, aside) = (self.name.clone(), self.aside());
        let replaced = format!("{name}_until_{}", epoch.to_lowercase());
        let existed = self.exists(&name).await?;
        if existed {
            self.run(format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", quoted(&name))).await?;
            self.disconnect(&name).await?;
            self.run(format!("ALTER DATABASE {} RENAME TO {}", quoted(&name), quoted(&replaced))).await?;
        }
        self.disconnect(&aside).await?;
        self.run(format!("ALTER DATABASE {} RENAME TO {}", quoted(&aside), quoted(&name))).await?;
        if self.which == Which::Write {
            // As the migrations say; a dump does not hold a database's own rights.
            self.run(format!("REVOKE CONNECT ON DATABASE {} FROM PUBLIC", quoted(&name))).await?;
            let named = [Role::Write, Role::Projector, Role::Reindex].map(Role::name).join(", ");
            self.run(format!("GRANT CONNECT ON DATABASE {} TO {named}", quoted(&name))).await?;
        }
        if existed && keep {
            self.run(format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", quoted(&replaced))).await?;
            return Ok(Some(replaced));
        }
        if existed {
            self.run(format!("DROP DATABASE {} WITH (FORCE)", quoted(&replaced))).await?;
        }
        Ok(None)
    }

    async fn exists(&mut self, name: &str) -> Result<bool, LaunchError> {
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(name)
            .fetch_one(&mut self.admin)
            .await
            .map_err(|error| failed(&self.url, &error))
    }

    async fn disconnect(&mut self, name: &str) -> Result<(), LaunchError> {
        sqlx::query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1")
            .bind(name)
            .execute(&mut self.admin)
            .await
            .map_err(|error| failed(&self.url, &error))?;
        Ok(())
    }

    async fn run(&mut self, sql: String) -> Result<(), LaunchError> {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.admin).await.map_err(|error| failed(&self.url, &error))?;
        Ok(())
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn with_name(url: &str, name: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut parsed) => {
            parsed.set_path(&format!("/{name}"));
            parsed.to_string()
        }
        Err(_) => url.to_owned(),
    }
}

fn failed(url: &str, reason: &dyn std::fmt::Display) -> LaunchError {
    LaunchError::Database { url: safe_url(url), reason: reason.to_string() }
}
