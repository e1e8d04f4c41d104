//! `souk recover`: begin the log anew from the write database and bring the read side in line with it. For when
//! Kafka was lost or cut in a way that the projector can't see by itself, or the write database was restored by
//! other means than `souk restore`.

use super::once_more::{LOOK, OnceMore};
use crate::{LaunchError, backup::Step, backup::safe_url, settings::Settings};
use schemas::{Utc, topics};
use serde::Serialize;
use sqlx::{Connection, PgConnection};
use std::{
    fmt,
    time::{Duration, Instant},
};

/// How long a projector that runs may take to begin; one that does not run is not waited for any longer.
const BEGINS_WITHIN: Duration = Duration::from_secs(20);

/// Publish the log again from the write database, and update the read side to match it
///
/// The log goes on in topics of new names, with as many partitions as before or, with --partitions, another number.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  souk recover --reason 'the provider restored the database to 14:00'\n  souk recover --partitions 12 --reason 'twelve brokers'\n  souk recover --json"
)]
pub struct Args {
    /// The reason, which is recorded
    #[arg(long, default_value = "an operator asked for it")]
    pub reason: String,
    /// Partitions of every topic from now on [default: as many as now]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=10_000))]
    pub partitions: Option<i32>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Where everything is.
    #[command(flatten)]
    pub settings: Settings,
}

/// What was done.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The epoch of the log that follows.
    pub epoch: String,
    /// Partitions of every topic in it; none before a projector has begun it, if no number was named.
    pub partitions: Option<i32>,
    /// Whether the read side is in line.
    pub read_side: Outcome,
}

/// Whether the read side follows the new epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Outcome {
    /// It has everything.
    InLine {
        /// Until every view was that of the write side.
        aligned_seconds: f64,
        /// Until everything written before the epoch began was published and read once more.
        seconds: f64,
    },
    /// No projector has begun; the first that starts will.
    Waiting,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(partitions) = self.partitions {
            write!(f, "The log goes on as {} with {partitions} partitions a topic. ", self.epoch)?;
        }
        self.read_side.fmt(f)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InLine { aligned_seconds, seconds } => write!(
                f,
                "Read side in line after {aligned_seconds:.1} s; everything published and read again after {seconds:.1} s."
            ),
            Self::Waiting => f.write_str("No projector runs: the read side follows as soon as one does (./souk up)."),
        }
    }
}

/// Asks for a new epoch and waits for it.
///
/// # Errors
/// [`LaunchError::Database`].
pub async fn run(args: &Args) -> Result<Report, LaunchError> {
    let url = args.settings.write_url();
    let last = text(&url, "SELECT coalesce(max(epoch), '') FROM log_epochs").await?;
    let epoch = topics::epoch_after(&last, Utc::now());
    ask(&url, &epoch, &args.reason, args.partitions).await?;
    let read_side = wait(&args.settings, &epoch).await?;
    let mut write = PgConnection::connect(&url).await.map_err(|error| failed(&url, &error))?;
    // Another one may have begun since.
    let (epoch, partitions) = sqlx::query_as(
        "SELECT epoch, partitions FROM log_epochs WHERE epoch = $1 OR (epoch > $1 AND begun_at IS NOT NULL)
         ORDER BY epoch DESC LIMIT 1",
    )
    .bind(&epoch)
    .fetch_one(&mut write)
    .await
    .map_err(|error| failed(&url, &error))?;
    Ok(Report { epoch, partitions, read_side })
}

/// Whether the log that was recorded has as many partitions as the settings ask for, if they do.
///
/// # Errors
/// [`LaunchError::Database`], or a sentence that says what to do.
pub async fn check_partitions(settings: &Settings) -> Result<(), LaunchError> {
    let Some(set) = settings.topic_partitions else { return Ok(()) };
    let has = text(
        &settings.write_url(),
        "SELECT coalesce((SELECT partitions::text FROM log_epochs WHERE refused IS NULL AND partitions IS NOT NULL
                          ORDER BY epoch DESC LIMIT 1), '')",
    )
    .await?;
    if has.is_empty() || has == set.to_string() {
        return Ok(());
    }
    Err(LaunchError::Other(format!(
        "--topic-partitions is {set}, but the log of this installation has {has} partitions. Set it to {has} or leave it out; to change the log, start without it and run `souk recover --partitions {set}`"
    )))
}

/// Records the request; without a number of partitions, the epoch has as many as the one before.
///
/// # Errors
/// [`LaunchError::Database`].
pub async fn ask(write_url: &str, epoch: &str, reason: &str, partitions: Option<i32>) -> Result<(), LaunchError> {
    let asked = async {
        let mut connection = PgConnection::connect(write_url).await?;
        sqlx::query("INSERT INTO log_epochs (epoch, reason, partitions) VALUES ($1, $2, $3)")
            .bind(epoch)
            .bind(reason)
            .bind(partitions)
            .execute(&mut connection)
            .await?;
        connection.close().await
    };
    asked.await.map_err(|error| failed(write_url, &error))
}

/// Waits until an epoch has begun, and everything that was written before has been published and read in it.
///
/// # Errors
/// [`LaunchError::Database`].
pub async fn wait(settings: &Settings, epoch: &str) -> Result<Outcome, LaunchError> {
    let began = Instant::now();
    let (write_url, read_url) = (settings.write_url(), settings.read_url());
    let mut write = PgConnection::connect(&write_url).await.map_err(|error| failed(&write_url, &error))?;
    let mut step = Step::begin("bringing the read side in line");
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        let begun: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM log_epochs WHERE epoch = $1 AND begun_at IS NOT NULL)")
                .bind(epoch)
                .fetch_one(&mut write)
                .await
                .map_err(|error| failed(&write_url, &error))?;
        if begun {
            break;
        }
        if let Some(reason) = refused(&mut write, epoch).await.map_err(|error| failed(&write_url, &error))? {
            return Err(LaunchError::Other(format!("the log was not begun anew and goes on as it was: {reason}")));
        }
        let beginning = text(&read_url, "SELECT coalesce(max(beginning), '') FROM log_epoch").await;
        if began.elapsed() > BEGINS_WITHIN && beginning.is_ok_and(|beginning| beginning != epoch) {
            step.done("no projector runs");
            return Ok(Outcome::Waiting);
        }
        step.at("waiting for the projector");
    }
    let aligned_seconds = began.elapsed().as_secs_f64();
    step.done("done");
    let mut read = PgConnection::connect(&read_url).await.map_err(|error| failed(&read_url, &error))?;
    let mut step = Step::begin("publishing and reading everything once more");
    let again =
        OnceMore { write: &mut write, read: &mut read, epoch: epoch.to_owned(), step: &mut step, looks: &mut ticks };
    again.wait().await.map_err(|error| failed(&read_url, &error))?;
    step.done("done");
    Ok(Outcome::InLine { aligned_seconds, seconds: began.elapsed().as_secs_f64() })
}

/// Why the projector has refused an epoch.
async fn refused(write: &mut PgConnection, epoch: &str) -> Result<Option<String>, sqlx::Error> {
    let reason = sqlx::query_scalar("SELECT refused FROM log_epochs WHERE epoch = $1").bind(epoch);
    Ok(reason.fetch_optional(write).await?.flatten())
}

/// One text out of a database.
///
/// # Errors
/// [`LaunchError::Database`].
pub async fn text(url: &str, sql: &'static str) -> Result<String, LaunchError> {
    let asked = async {
        let mut connection = PgConnection::connect(url).await?;
        let text: String = sqlx::query_scalar(sql).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(text)
    };
    asked.await.map_err(|error: sqlx::Error| failed(url, &error))
}

fn failed(url: &str, reason: &dyn fmt::Display) -> LaunchError {
    LaunchError::Database { url: safe_url(url), reason: reason.to_string() }
}
