//! `reindex dead-letters`: look at events that could not be applied, and settle them.

use crate::{context::CommandContext, failure::Failure};
use clap::{Args as ClapArgs, Subcommand};
use eventlog::dead_letter::operator::{self, Bulk, DeadLetterError, Filter, Page, Whole};
use schemas::{Uuid, dead_letter::DeadLetterState};
use serde_json::json;
use sqlx::PgConnection;
use std::{
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};

mod text;

/// List events that could not be applied, and retry, edit or discard them
#[derive(Debug, Clone, ClapArgs)]
#[command(after_help = "Examples:
  reindex dead-letters list
  reindex dead-letters list --type souk.catalog.product.changed.v1 --error 'missing field' --json
  reindex dead-letters show 17
  reindex dead-letters retry 17
  reindex dead-letters retry --all --projection views --dry-run
  reindex dead-letters edit 17 --payload corrected.json --reason 'the importer sent no currency'
  reindex dead-letters discard 17 --reason 'written by a test'

Events of one aggregate are applied in order: while one is parked, later ones queue behind it.
Once the parked one is settled, the queue is applied automatically.")]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do with dead letters.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// List dead letters, the oldest first
    List {
        /// Which.
        #[command(flatten)]
        filter: FilterArgs,
        /// Begin after this number
        #[arg(long, default_value_t = 0)]
        after: i64,
        /// How many, up to 500
        #[arg(long, default_value_t = 50)]
        limit: i64,
    },
    /// Show one: error, headers, payload, history, the queue behind it
    Show {
        /// Its number
        id: i64,
    },
    /// Apply it again, then the queue behind it
    Retry {
        /// Which.
        #[command(flatten)]
        which: Which,
    },
    /// Replace its payload and apply it again; the old payload is kept
    Edit {
        /// Its number
        id: i64,
        /// File with the new payload; `-` is standard input
        #[arg(long)]
        payload: PathBuf,
        /// The reason
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Never apply it; the queue behind it is applied next
    Discard {
        /// Which.
        #[command(flatten)]
        which: Which,
        /// The reason, which is recorded
        #[arg(long)]
        reason: String,
    },
}

/// Some by number, or all that match.
#[derive(Debug, Clone, ClapArgs)]
pub struct Which {
    /// Their numbers
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub ids: Vec<i64>,
    /// Every one that matches the filter
    #[arg(long)]
    pub all: bool,
    /// Only say how many match
    #[arg(long, requires = "all", conflicts_with = "ids")]
    pub dry_run: bool,
    /// Do nothing unless exactly this many match
    #[arg(long, requires = "all", conflicts_with = "ids")]
    pub expect: Option<i64>,
    /// The filter.
    #[command(flatten)]
    pub filter: FilterArgs,
}

/// Which dead letters.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct FilterArgs {
    /// parked, queued, retrying, retried or discarded [default: the first three]
    #[arg(long = "state", value_delimiter = ',', value_name = "STATE")]
    pub states: Vec<DeadLetterState>,
    /// The projection that could not apply it
    #[arg(long)]
    pub projection: Option<String>,
    /// The event's type
    #[arg(long = "type")]
    pub event_type: Option<String>,
    /// The tenant's id
    #[arg(long)]
    pub tenant: Option<Uuid>,
    /// Text in the error
    #[arg(long)]
    pub error: Option<String>,
    /// The Kafka key
    #[arg(long)]
    pub key: Option<String>,
    /// At least this old, such as 90s, 15m, 2h, 3d
    #[arg(long, value_parser = age)]
    pub older_than: Option<Duration>,
    /// At most this old
    #[arg(long, value_parser = age)]
    pub newer_than: Option<Duration>,
}

fn age(text: &str) -> Result<Duration, String> {
    let wrong = || "a number and s, m, h or d is expected, such as 90s or 2h".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

impl From<FilterArgs> for Filter {
    fn from(args: FilterArgs) -> Self {
        let seconds = |age: Duration| i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        Self {
            states: args.states,
            projection: args.projection,
            event_type: args.event_type,
            tenant: args.tenant,
            error: args.error,
            key: args.key,
            older_than_seconds: args.older_than.map(seconds),
            newer_than_seconds: args.newer_than.map(seconds),
        }
    }
}

impl From<DeadLetterError> for Failure {
    fn from(error: DeadLetterError) -> Self {
        let detail = error.to_string();
        let code = match error {
            DeadLetterError::Database(error) => return Self::Database(error),
            DeadLetterError::NotFound(_) => "unknown_dead_letter",
            DeadLetterError::State { .. } => "dead_letter_state",
            DeadLetterError::Queued { .. } => "dead_letter_queued",
            DeadLetterError::Payload(_) => "invalid_payload",
            DeadLetterError::NoReason => "no_reason",
            DeadLetterError::Changed { .. } => "dead_letters_changed",
        };
        Self::refused(code, detail)
    }
}

/// Does what is asked; gives the text to print.
///
/// # Errors
/// [`Failure`] says what was wrong; nothing was done then.
pub async fn run(context: &CommandContext, args: Args, json: bool) -> Result<String, Failure> {
    let mut connection = context.pool.acquire().await?;
    let actor = context.actor.as_str();
    match args.command {
        Command::List { filter, after, limit } => {
            let page: Page = operator::list(&mut connection, &filter.into(), after, limit).await?;
            Ok(if json { serde_json::to_string_pretty(&page)? } else { text::page(&page, schemas::Utc::now()) })
        }
        Command::Show { id } => {
            let whole: Whole = operator::show(&mut connection, id).await?;
            Ok(if json { serde_json::to_string_pretty(&whole)? } else { text::whole(&whole)? })
        }
        Command::Retry { which } => {
            let done = several(&mut connection, which, Bulk::Retry, actor).await?;
            Ok(done.told(json, "will be tried again; `reindex dead-letters list` tells what came of it"))
        }
        Command::Discard { which, reason } => {
            let done = several(&mut connection, which, Bulk::Discard(&reason), actor).await?;
            Ok(done.told(json, "discarded; what waited behind is tried now"))
        }
        Command::Edit { id, payload, reason } => {
            let payload = read(&payload)?;
            operator::edit(&mut connection, id, &payload, actor, &reason).await?;
            Ok(Done { dead_letters: 1, dry_run: false }.told(json, "has its new payload and will be tried again"))
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: std::io::Error| Failure::File(path.to_owned(), error.to_string());
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map_err(unreadable)?;
        return Ok(bytes);
    }
    std::fs::read(path).map_err(unreadable)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Done {
    dead_letters: i64,
    dry_run: bool,
}

impl Done {
    fn told(self, as_json: bool, what: &str) -> String {
        let Self { dead_letters, dry_run } = self;
        match (as_json, dry_run) {
            (true, _) => json!({"letters": dead_letters, "dry_run": dry_run}).to_string(),
            (false, true) => format!(
                "{dead_letters} dead letters match; nothing was done. Add --expect {dead_letters} to do it with exactly these"
            ),
            (false, false) => format!("{dead_letters} dead letters: {what}"),
        }
    }
}

async fn several(
    connection: &mut PgConnection,
    which: Which,
    bulk: Bulk<'_>,
    actor: &str,
) -> Result<Done, DeadLetterError> {
    if which.all {
        let (filter, dry_run) = (which.filter.into(), which.dry_run);
        let dead_letters = operator::apply_all(connection, &filter, bulk, actor, dry_run, which.expect).await?;
        return Ok(Done { dead_letters, dry_run });
    }
    let mut dead_letters = 0;
    for id in which.ids {
        match bulk {
            Bulk::Retry => operator::retry(connection, id, actor).await?,
            Bulk::Discard(reason) => operator::discard(connection, id, actor, reason).await?,
        }
        dead_letters += 1;
    }
    Ok(Done { dead_letters, dry_run: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Cli::try_parse_from(std::iter::once("dead-letters").chain(line.split(' '))).map(|cli| cli.args)
    }

    #[test]
    fn ages_are_read() {
        assert_eq!(age("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(age("3d"), Ok(Duration::from_secs(259_200)));
        for wrong in ["", "s", "5", "5w", "-5m", "5 m", "5µ"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn several_are_named_or_matched_but_not_both() {
        assert!(parse("retry 1 2 3").is_ok());
        assert!(parse("retry --all --projection views --dry-run").is_ok());
        assert!(parse("retry").is_err());
        assert!(parse("retry 1 --all").is_err());
        assert!(parse("retry 1 --dry-run").is_err());
        assert!(parse("discard 1").is_err(), "a reason is needed");
        assert!(parse("list --state lost").is_err());
        let Ok(Args { command: Command::List { filter, .. }, .. }) =
            parse("list --state parked,queued --older-than 2h")
        else {
            unreachable!("it can be parsed");
        };
        let filter: Filter = filter.into();
        assert_eq!((filter.states.len(), filter.older_than_seconds), (2, Some(7_200)));
    }
}
