//! reindex: the operators' view of the read models. Today it tells which index generations there are and
//! how far every projection is; it changes nothing.
//!
//! To add a command: add a variant to [`Command`], and a file with its name beside this one.

use clap::{Parser, Subcommand};
use service::telemetry::TelemetryOptions;
use std::path::PathBuf;

pub mod status;

/// Look after the read models: index generations and projections.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "reindex",
    version,
    after_help = "Examples:\n  reindex status\n  reindex status --json | jq .generations"
)]
pub struct Cli {
    /// TOML file with these settings, named like the flags
    #[arg(long, env = "SOUK_CONFIG", global = true)]
    pub config: Option<PathBuf>,
    /// The read database; a role that can only read is enough
    #[arg(
        long,
        env = "SOUK_READ_DATABASE_URL",
        default_value = "postgres://souk@127.0.0.1:5432/souk_read",
        global = true
    )]
    pub read_database_url: String,
    /// Logs and traces.
    #[command(flatten)]
    pub telemetry: TelemetryOptions,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Show the index generations and how far each projection is
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// The command could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The read database can't be used.
    #[error("the read database can't be read: {0}. Is --read-database-url right, and was `souk migrate` run?")]
    Database(#[from] sqlx::Error),
    /// What was read can't be written as JSON.
    #[error("the status can't be written: {0}")]
    Unwritable(#[from] serde_json::Error),
}

/// Does what the command line asks; gives the text to print.
///
/// # Errors
/// [`Failure`] says what to look at.
pub async fn run(cli: &Cli) -> Result<String, Failure> {
    match cli.command {
        Command::Status { json } => {
            let status = status::read(&cli.read_database_url).await?;
            Ok(if json { serde_json::to_string_pretty(&status)? } else { status.to_string() })
        }
    }
}
