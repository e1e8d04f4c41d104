//! `reindex watch`: whether the generation that answers does worse than the one before did, and back if so.

use crate::{context::CommandContext, failure::Failure, generations};
use kept::Kind;
use schemas::Uuid;
use search::nodes::Figures;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use std::{collections::BTreeMap, fmt, time::Duration};

pub mod kept;

/// How often the figures are looked at; they are of the ten seconds before.
const LOOK: Duration = Duration::from_secs(1);

/// Watch the active generation, and roll back if it does worse than the one before
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  reindex watch --seconds 600\n  reindex watch --seconds 600 --worse-p99 2 --worse-zero-results 0.02"
)]
pub struct Args {
    /// Seconds to watch
    #[arg(long, default_value_t = 300)]
    pub seconds: u64,
    /// The limits
    #[command(flatten)]
    pub limits: Limits,
}

/// From when on a generation does worse.
#[derive(Debug, Clone, Copy, clap::Args, Serialize, Deserialize)]
pub struct Limits {
    /// By how much the share of failing searches may rise
    #[arg(long, default_value_t = 0.01)]
    pub worse_errors: f64,
    /// By how much the share of searches without a hit may rise
    #[arg(long, default_value_t = 0.05)]
    pub worse_zero_results: f64,
    /// How many times the former p99 latency is allowed; a p99 below 20 ms always is
    #[arg(long, default_value_t = 3.0)]
    pub worse_p99: f64,
    /// Fewer searches than this in ten seconds are not judged
    #[arg(long, default_value_t = 20)]
    pub least_searches: u64,
}

impl Default for Limits {
    /// Those of the command line.
    fn default() -> Self {
        Self { worse_errors: 0.01, worse_zero_results: 0.05, worse_p99: 3.0, least_searches: 20 }
    }
}

/// What watching found.
#[derive(Debug, Clone, Serialize)]
pub struct Watched {
    /// The generation.
    pub generation: String,
    /// Seconds it was watched.
    pub seconds: f64,
    /// The figures before.
    pub before: Figures,
    /// The last figures.
    pub after: Figures,
    /// What was worse; nothing if it stays.
    pub worse: Vec<String>,
    /// The generation that was gone back to.
    pub rolled_back_to: Option<String>,
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, when: &str, figures: &Figures| {
            writeln!(
                f,
                "  {when:<7} {} searches, {} failed, {} without a hit, p50 {:.1} ms, p99 {:.1} ms",
                figures.searches, figures.failed, figures.empty, figures.p50_ms, figures.p99_ms
            )
        };
        writeln!(f, "watched {} for {:.0} s", self.generation, self.seconds)?;
        line(f, "before", &self.before)?;
        line(f, "after", &self.after)?;
        match &self.rolled_back_to {
            Some(name) => writeln!(f, "ROLLED BACK to {name}: {}", self.worse.join("; ")),
            None => writeln!(f, "it stays"),
        }
    }
}

/// Watches the active generation against what the one before last reported.
///
/// # Errors
/// The database's.
pub async fn run(context: &CommandContext, args: &Args) -> Result<Watched, Failure> {
    let active = generations::active(context).await?;
    let before: Option<serde_json::Value> = sqlx::query_scalar(
        "SELECT detail -> 'figures' FROM operations WHERE action = 'generation.watched' AND subject = $1 ORDER BY id DESC LIMIT 1",
    )
    .bind(&active.generation)
    .fetch_optional(&context.pool)
    .await?
    .flatten();
    let before = before.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default();
    let mut connection = context.pool.acquire().await?;
    begin(context, &mut connection, &active.generation, &before, args.seconds, &args.limits).await?;
    drop(connection);
    follow(context, &active.generation, args.seconds).await
}

/// The figures of a generation over all query-api processes: sums, and the worst of the latencies.
///
/// # Errors
/// The database's.
pub async fn figures(context: &CommandContext, generation: &str) -> Result<Figures, Failure> {
    let nodes: Vec<serde_json::Value> =
        sqlx::query_scalar("SELECT figures FROM query_nodes WHERE heartbeat_at > now() - interval '5 seconds'")
            .fetch_all(&context.pool)
            .await?;
    let mut sum = Figures::default();
    for node in nodes {
        let by_generation: BTreeMap<String, Figures> = serde_json::from_value(node)?;
        let Some(found) = by_generation.get(generation) else { continue };
        sum.searches += found.searches;
        sum.failed += found.failed;
        sum.empty += found.empty;
        sum.p50_ms = sum.p50_ms.max(found.p50_ms);
        sum.p99_ms = sum.p99_ms.max(found.p99_ms);
    }
    Ok(sum)
}

/// Begins to watch a generation that was just promoted, as part of the transaction that promotes it.
///
/// # Errors
/// The database's.
pub async fn begin(
    context: &CommandContext,
    connection: &mut PgConnection,
    generation: &str,
    before: &Figures,
    seconds: u64,
    limits: &Limits,
) -> Result<(), Failure> {
    let figures = serde_json::json!({"figures": before});
    context.record(&mut *connection, "generation.watched", generation, figures).await?;
    kept::begin(context, connection, (generation, Kind::Promotion), (before, limits), Some(seconds)).await
}

/// Begins to watch a generation that is tried: it is held against the active one, until the trial ends.
///
/// # Errors
/// The database's.
pub async fn begin_trial(
    context: &CommandContext,
    connection: &mut PgConnection,
    generation: &str,
    limits: &Limits,
) -> Result<(), Failure> {
    kept::begin(context, connection, (generation, Kind::Canary), (&Figures::default(), limits), None).await
}

/// Follows a watch to its end, and looks where nobody else does. Ending this does not end the watch where `reindex serve`
/// runs.
///
/// # Errors
/// The database's, or those of the rollback.
pub async fn follow(context: &CommandContext, generation: &str, seconds: u64) -> Result<Watched, Failure> {
    let watcher = Uuid::now_v7().to_string();
    let bar = context.bar(seconds, &format!("watching {generation}"));
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        kept::look(context, generation, &watcher).await?;
        let standing = kept::standing(context, generation).await?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole seconds for a bar")]
        bar.set_position(standing.seconds.max(0.0) as u64);
        if standing.outcome.is_some() {
            bar.finish_and_clear();
            return Ok(Watched {
                generation: generation.to_owned(),
                seconds: standing.seconds,
                before: serde_json::from_value(standing.before)?,
                after: serde_json::from_value(standing.after).unwrap_or_default(),
                worse: standing.worse,
                rolled_back_to: standing.rolled_back_to,
            });
        }
    }
}

/// In what the figures got worse, as sentences.
#[expect(clippy::cast_precision_loss, reason = "counts of searches")]
fn worse(before: &Figures, after: &Figures, limits: &Limits) -> Vec<String> {
    if after.searches < limits.least_searches {
        return Vec::new();
    }
    let share = |part: u64, of: u64| if of == 0 { 0.0 } else { part as f64 / of as f64 };
    let mut found = Vec::new();
    let mut rise = |what: &str, was: f64, is: f64, limit: f64| {
        if is > was + limit {
            found.push(format!("{:.1} % of the searches {what}, {:.1} % before", is * 100.0, was * 100.0));
        }
    };
    rise("fail", share(before.failed, before.searches), share(after.failed, after.searches), limits.worse_errors);
    // Without searches before there is nothing to hold the others against.
    if before.searches >= limits.least_searches {
        let (was, is) = (share(before.empty, before.searches), share(after.empty, after.searches));
        rise("find nothing", was, is, limits.worse_zero_results);
        if after.p99_ms > (before.p99_ms * limits.worse_p99).max(20.0) {
            found.push(format!("p99 is {:.1} ms, {:.1} ms before", after.p99_ms, before.p99_ms));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_clearly_worse_is_worse() {
        let limits = Limits::default();
        let quiet = Figures { searches: 100, failed: 0, empty: 10, p50_ms: 3.0, p99_ms: 10.0 };
        assert!(worse(&quiet, &quiet, &limits).is_empty());
        assert!(worse(&quiet, &Figures { searches: 5, failed: 5, ..quiet }, &limits).is_empty(), "too few");
        let bad = Figures { failed: 3, empty: 30, p99_ms: 50.0, ..quiet };
        assert_eq!(worse(&quiet, &bad, &limits).len(), 3);
        assert_eq!(worse(&Figures::default(), &bad, &limits).len(), 1, "errors need nothing to compare with");
    }
}
