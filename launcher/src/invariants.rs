//! `souk invariants`: what has to hold of orders, stock, money and uses of promotions, and whether it does.
//!
//! Each invariant is a statement that finds whatever breaks it. Those of the write side are looked at in one snapshot. Those of the
//! read side compare it with that snapshot: what is still on its way is behind, and no offender, so the command waits for it.

mod stock;
mod views;

pub use ::invariants::Offenders;

use crate::{LaunchError, backup::safe_url, settings::Settings};
use serde::Serialize;
use sqlx::{Connection, PgConnection};
use std::{collections::BTreeMap, fmt, time::Duration};
use tokio::time::Instant;

/// How long is waited between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Check what has to hold of orders, stock, money and promotions
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  souk invariants
  souk invariants --wait-seconds 0 --json

Prints how many offenders each invariant has, with the first one. The exit code is 1 unless every number is 0. What is
written meanwhile takes a moment to reach the read side: it is looked at again until every number is 0, or the time is
over. See docs/guides/invariants.md")]
pub struct Args {
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// How long to look again while something does not hold
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub wait_seconds: u64,
    /// Where everything is.
    #[command(flatten)]
    pub settings: Settings,
}

/// What was found, by the name of each invariant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Report(pub BTreeMap<&'static str, Offenders>);

impl Report {
    /// Whether everything holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.0.values().all(|offenders| offenders.count == 0)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, Offenders { count, first }) in &self.0 {
            match first {
                None => writeln!(f, "{count:>8}  {name}")?,
                Some(first) => writeln!(f, "{count:>8}  {name}: {first}")?,
            }
        }
        let broken = self.0.values().filter(|offenders| offenders.count != 0).count();
        write!(f, "{} invariants, {broken} do not hold", self.0.len())
    }
}

/// Checks, and prints what was found. Gives whether everything holds.
///
/// # Errors
/// The databases'.
pub async fn run(args: Args) -> Result<bool, LaunchError> {
    let report = settled(&args.settings, Duration::from_secs(args.wait_seconds)).await?;
    if args.json {
        let json = serde_json::to_string_pretty(&report);
        println!("{}", json.map_err(|error| LaunchError::Other(error.to_string()))?);
    } else {
        println!("{report}");
    }
    Ok(report.holds())
}

/// Checks until everything holds, or the time is over.
///
/// # Errors
/// The databases'.
pub async fn settled(settings: &Settings, patience: Duration) -> Result<Report, LaunchError> {
    let (write, read) = (settings.write_url(), settings.read_url());
    let failed = |url: &str| {
        let url = safe_url(url);
        move |error: sqlx::Error| LaunchError::Other(format!("{url}: {error}"))
    };
    let mut of_write = PgConnection::connect(&write).await.map_err(failed(&write))?;
    let mut of_read = PgConnection::connect(&read).await.map_err(failed(&read))?;
    let until = Instant::now() + patience;
    loop {
        let report = check(&mut of_write, &mut of_read).await.map_err(failed(&write))?;
        if report.holds() || Instant::now() >= until {
            return Ok(report);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Checks once.
async fn check(write: &mut PgConnection, read: &mut PgConnection) -> Result<Report, sqlx::Error> {
    let mut found = BTreeMap::new();
    let mut snapshot = write.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    for invariant in ::invariants::ALL {
        found.insert(invariant.name, invariant.look(&mut snapshot).await?);
    }
    for view in views::ALL {
        found.insert(view.name, view.compare(&mut snapshot, read).await?);
    }
    let told = stock::compare(&mut snapshot, read).await?;
    found.insert("pages tell the stock", told.pages);
    found.insert("search tells the stock", told.documents);
    snapshot.rollback().await?;
    Ok(Report(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offenders_are_counted_and_the_first_is_named() {
        let report = Report(BTreeMap::from([
            ("a", Offenders::of(Vec::new())),
            ("b", Offenders::of(["two".to_owned(), "one".to_owned()])),
        ]));
        assert!(!report.holds());
        assert_eq!(report.to_string(), "       0  a\n       2  b: one\n2 invariants, 1 do not hold");
        assert_eq!(serde_json::to_string(&report).expect("JSON"), r#"{"a":{"count":0},"b":{"count":2,"first":"one"}}"#);
    }
}
