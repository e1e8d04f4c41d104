//! reindex: the operators' view of the read models: which index generations there are, how far every projection is,
//! which events could not be applied, and how long a write takes to become searchable.
//!
//! To add a command: add a variant to [`Command`], and a file with its name beside this one.

use clap::{Parser, Subcommand};
use probe::{Outcome, Probe};
use projector::dead_letter::operator::LetterError;
use service::telemetry::TelemetryOptions;
use std::{path::PathBuf, time::Duration};

pub mod letters;
pub mod probe;
pub mod status;

/// Look after the read models: index generations and projections.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "reindex",
    version,
    after_help = "Examples:\n  reindex status\n  reindex status --json | jq .generations\n  reindex letters list\n  reindex probe --rounds 10"
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
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Show the index generations and how far each projection is
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Look at events that could not be applied, and settle them
    Letters(Box<letters::Args>),
    /// Write a product and search for it, and tell how long that took
    #[command(after_help = "Examples:\n  reindex probe\n  reindex probe --rounds 20 --json | jq .searchable_ms")]
    Probe {
        /// Where to.
        #[command(flatten)]
        settings: probe::Settings,
        /// How often
        #[arg(long, default_value_t = 1)]
        rounds: u32,
        /// Print a line of JSON for each round
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
    /// A dead letter can't be settled as asked.
    #[error(transparent)]
    Letter(#[from] LetterError),
    /// A file can't be read.
    #[error("{0} can't be read: {1}")]
    Unreadable(String, std::io::Error),
    /// The probe did not find what it wrote.
    #[error("{0}")]
    Probe(String),
}

/// Does what the command line asks; gives the text to print.
///
/// # Errors
/// [`Failure`] says what to look at.
pub async fn run(cli: &Cli) -> Result<String, Failure> {
    match &cli.command {
        Command::Status { json } => {
            let status = status::read(&cli.read_database_url).await?;
            Ok(if *json { serde_json::to_string_pretty(&status)? } else { status.to_string() })
        }
        Command::Letters(args) => letters::run(&cli.read_database_url, args.as_ref().clone()).await,
        Command::Probe { settings, rounds, json } => probe_rounds(settings, *rounds, *json).await,
    }
}

/// Some rounds of the probe; a round that did not find what it wrote makes the command fail.
async fn probe_rounds(settings: &probe::Settings, rounds: u32, json: bool) -> Result<String, Failure> {
    let probe = Probe::new(settings.clone()).map_err(|error| Failure::Probe(error.to_string()))?;
    let mut ticks = tokio::time::interval(Duration::from_millis(settings.probe_interval_ms.max(1)));
    let (mut lines, mut missed) = (Vec::new(), 0);
    for _ in 0..rounds {
        ticks.tick().await;
        let round = probe.round().await;
        missed += u32::from(round.outcome != Outcome::Found);
        lines.push(if json { serde_json::to_string(&round)? } else { round.to_string() });
    }
    let text = lines.join("\n");
    if missed == 0 { Ok(text) } else { Err(Failure::Probe(format!("{missed} of {rounds} rounds missed\n{text}"))) }
}
