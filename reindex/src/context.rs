//! What every command needs: the read database, the index folder, the actor and progress bars.

use crate::{failure::Failure, settings::Settings};
use indicatif::{ProgressBar, ProgressStyle};
use schemas::Uuid;
use search::nodes::{IndexFolder, host_name};
use serde_json::Value;
use service::database::{self, Deadlines, PoolOptions};
use sqlx::PgPool;
use std::{io::IsTerminal, path::PathBuf};

/// What every command needs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CommandContext {
    /// The read database.
    pub pool: PgPool,
    /// Folder of the index generations on this node.
    pub index_dir: PathBuf,
    /// This node's name.
    pub node: String,
    /// Who acts.
    pub actor: String,
    /// A query-api, if one was named.
    pub query_url: Option<String>,
    /// The key of the installation's administrators.
    pub admin_key: Option<String>,
    /// Where the key of certificates is.
    pub signing_key: PathBuf,
    /// The HTTP client.
    pub http: reqwest::Client,
    shows: bool,
}

/// The node that an index folder says it is of, else the host's name.
fn node_of(index_dir: &std::path::Path) -> String {
    let known = IndexFolder::read(index_dir).ok().flatten();
    known.map_or_else(host_name, |folder| folder.node)
}

impl CommandContext {
    /// A shop's id by its name in addresses or its id; none for none.
    ///
    /// # Errors
    /// A refusal if the views know no such shop.
    pub async fn tenant(&self, named: Option<&str>) -> Result<Option<Uuid>, Failure> {
        let Some(named) = named else { return Ok(None) };
        let found: Option<Uuid> =
            sqlx::query_scalar("SELECT id FROM tenants WHERE (slug = $1 OR id::text = $1) AND NOT deleted")
                .bind(named)
                .fetch_optional(&self.pool)
                .await?;
        let found = found.ok_or_else(|| Failure::refused("unknown_tenant", format!("there is no shop `{named}`")))?;
        Ok(Some(found))
    }

    /// Opens the context; `shows` draws bars where there is a terminal.
    ///
    /// # Errors
    /// [`Failure::Database`] if the URL can't be read.
    pub fn open(settings: &Settings, shows: bool) -> Result<Self, Failure> {
        let user =
            || std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "operator".to_owned());
        let actor = settings.actor.clone().unwrap_or_else(user);
        let context = Self::with(&settings.read_database_url, &settings.index_dir, &actor, shows)?;
        Ok(Self {
            node: settings.node.clone().unwrap_or(context.node),
            query_url: settings.query_url.clone(),
            admin_key: settings.admin_key.clone(),
            signing_key: settings.signing_key.clone().unwrap_or(context.signing_key),
            ..context
        })
    }

    fn with(read_database_url: &str, index_dir: &std::path::Path, actor: &str, shows: bool) -> Result<Self, Failure> {
        let options = PoolOptions {
            max_connections: 8,
            relaxed_durability: false,
            deadlines: Deadlines::LONG_WORK,
            application_name: "souk-reindex".to_owned(),
        };
        let pool = database::pool(read_database_url, &options)
            .map_err(|error| Failure::Other(format!("--read-database-url: {error}")))?;
        Ok(Self {
            pool,
            index_dir: index_dir.to_owned(),
            node: node_of(index_dir),
            actor: actor.to_owned(),
            query_url: None,
            admin_key: None,
            signing_key: index_dir.join("certificates.key"),
            http: reqwest::Client::new(),
            shows,
        })
    }

    /// A context at a read database and an index folder, without bars.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn at(read_database_url: &str, index_dir: &std::path::Path, actor: &str) -> Result<Self, Failure> {
        Self::with(read_database_url, index_dir, actor, false)
    }

    /// The same context, with bars where there is a terminal.
    #[must_use]
    pub fn with_bars(&self) -> Self {
        Self { shows: true, ..self.clone() }
    }

    /// The same context with somebody else at it, without bars.
    #[must_use]
    pub fn acting(&self, actor: &str) -> Self {
        Self { actor: actor.to_owned(), shows: false, ..self.clone() }
    }

    /// A bar for something that takes a while; hidden where nobody looks.
    #[must_use]
    pub fn bar(&self, length: u64, what: &str) -> ProgressBar {
        if !self.shows || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(length);
        let template = "{msg:24} [{bar:30}] {human_pos} of {human_len}, {per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(what.to_owned());
        bar
    }

    /// Keeps what was done, for ever.
    ///
    /// # Errors
    /// The database's.
    pub async fn record(
        &self,
        connection: impl sqlx::PgExecutor<'_>,
        action: &str,
        subject: &str,
        detail: Value,
    ) -> Result<(), sqlx::Error> {
        sqlx::query("INSERT INTO operations (actor, action, subject, detail) VALUES ($1, $2, $3, $4)")
            .bind(&self.actor)
            .bind(action)
            .bind(subject)
            .bind(detail)
            .execute(connection)
            .await?;
        tracing::info!(operation.action = action, operation.subject = subject, operation.actor = %self.actor, "recorded");
        Ok(())
    }

    /// A query-api to ask: the one that was named, or one that has reported of late.
    ///
    /// # Errors
    /// If there is none.
    pub async fn query_api(&self) -> Result<String, Failure> {
        if let Some(url) = &self.query_url {
            return Ok(url.trim_end_matches('/').to_owned());
        }
        let address: Option<String> = sqlx::query_scalar(
            "SELECT address FROM query_nodes WHERE heartbeat_at > now() - interval '10 seconds' ORDER BY node <> $1, reader LIMIT 1",
        )
        .bind(&self.node)
        .fetch_optional(&self.pool)
        .await?;
        address.map(|address| format!("http://{address}")).ok_or_else(|| {
            Failure::Other("no query-api has reported in the last ten seconds; name one with --query-url".to_owned())
        })
    }
}
