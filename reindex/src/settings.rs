//! The options that every command takes.

use service::telemetry::TelemetryOptions;
use std::path::PathBuf;

/// What every command takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Settings {
    /// TOML file with these settings, named like the flags
    #[arg(long, env = "SOUK_CONFIG", global = true)]
    pub config: Option<PathBuf>,
    /// The read database. `status` works with a role that can only read
    #[arg(
        long,
        env = "SOUK_READ_DATABASE_URL",
        hide_env_values = true,
        default_value = "postgres://souk@127.0.0.1:5432/souk_read",
        global = true
    )]
    pub read_database_url: String,
    /// Folder of the index generations
    #[arg(long, env = "SOUK_INDEX_DIR", default_value = "index", global = true)]
    pub index_dir: PathBuf,
    /// The node whose folder that is [default: what its index writer is called]
    #[arg(long, env = "SOUK_NODE", global = true)]
    pub node: Option<String>,
    /// The actor that is recorded [default: the user's name]
    #[arg(long, env = "SOUK_ACTOR", global = true)]
    pub actor: Option<String>,
    /// Address of a query-api [default: one that has reported in the read database]
    #[arg(long, env = "SOUK_QUERY_URL", global = true)]
    pub query_url: Option<String>,
    /// Key of the installation's administrators, for `compare`, `probe` and `serve`
    #[arg(long, alias = "staff-key", env = "SOUK_ADMIN_KEY", hide_env_values = true, global = true)]
    pub admin_key: Option<String>,
    /// File with the key that signs certificates [default: certificates.key in the index folder, created if missing]
    #[arg(long, env = "SOUK_SIGNING_KEY", global = true)]
    pub signing_key: Option<PathBuf>,
    /// Logs and traces.
    #[command(flatten)]
    pub telemetry: TelemetryOptions,
}
