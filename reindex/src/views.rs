//! `reindex views`: the views in the read database, built anew from the events beside the live ones and put in their
//! place. The projector builds and follows; these commands say what is wanted and wait for it, so they can be
//! interrupted and run again. See docs/guides/rebuild-views.md.

use crate::{context::CommandContext, failure::Failure};
use clap::Subcommand;
use projector::rebuild::{self, RebuildError};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::Row;
use std::{
    fmt,
    time::{Duration, Instant},
};

pub mod proof;

/// How often the state is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How long nobody may report before a wait is given up.
const SILENCE: Duration = Duration::from_secs(30);

/// What to do with the views.
#[derive(Debug, Clone, Subcommand)]
pub enum ViewsCommand {
    /// Build a second set, and wait until it has caught up
    Build(BuildArgs),
    /// Show the second set
    Status,
    /// Verify that it holds the same rows as the live one
    Verify(proof::Args),
    /// Make it the live one; the former one stays up to date for a rollback
    Promote,
    /// Make the set live that was live before
    Rollback,
    /// Drop the second set
    Cancel,
}

/// Build a second set, and wait until it has caught up
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  reindex views build --rate 2000\n  reindex views build --no-wait && reindex views status"
)]
pub struct BuildArgs {
    /// Most events a second [default: no limit]
    #[arg(long, value_parser = clap::value_parser!(i32).range(1..))]
    pub rate: Option<i32>,
    /// Drop the set that is kept for a rollback, and build a new one
    #[arg(long)]
    pub replace: bool,
    /// Don't wait until it has caught up
    #[arg(long)]
    pub no_wait: bool,
}

/// The second set.
#[derive(Debug, Clone, Serialize)]
pub struct Standby {
    /// `building`, `verified`, `previous`, `failed` or `cancelled`; none when there never was one.
    pub state: Option<String>,
    /// Events it has not applied yet.
    pub events_left: i64,
    /// Events a second it applies.
    pub rate_per_second: f64,
    /// Seconds until it has caught up, at that rate.
    pub eta_seconds: Option<f64>,
    /// Whether it has applied all that the live one has.
    pub caught_up: bool,
    /// Whether a projector works on it.
    pub alive: bool,
    /// Events a second it may take.
    pub rate_limit: Option<i32>,
    /// Why it failed or was given up.
    pub note: String,
    /// What the last verification found.
    pub proof: Option<Value>,
}

impl fmt::Display for Standby {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.state.as_deref() {
            None => return writeln!(f, "There is no second set of views; `reindex views build` makes one."),
            Some("building") if self.caught_up => writeln!(f, "The second set follows the live one; verify it next.")?,
            Some("building") => {
                let eta = self.eta_seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.0} s"));
                let (left, rate) = (self.events_left, self.rate_per_second);
                writeln!(f, "The second set is being built: {left} events left, {rate:.0} a second, {eta} to go.")?;
            }
            Some("verified") => writeln!(f, "The second set is proven; `reindex views promote` puts it in place.")?,
            Some("previous") => {
                writeln!(f, "The set that was live before is kept up, {} events behind.", self.events_left)?;
            }
            Some(state) => writeln!(f, "The second set is {state}: {}", self.note)?,
        }
        if !self.alive && matches!(self.state.as_deref(), Some("building" | "verified" | "previous")) {
            writeln!(f, "Nobody works on it: is a projector with the role views running?")?;
        }
        Ok(())
    }
}

/// What a change of places did.
#[derive(Debug, Clone, Serialize)]
pub struct Changed {
    /// `promoted` or `rolled back`.
    pub done: &'static str,
    /// Documents that are other ones now, and published as such.
    pub documents: u64,
    /// How long the projections stood still, in milliseconds.
    pub standstill_ms: u64,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done, documents, standstill_ms } = self;
        writeln!(
            f,
            "{done}; the projections stood still for {standstill_ms} ms, and {documents} documents are published anew"
        )
    }
}

/// Does what is asked; gives the text to print.
///
/// # Errors
/// [`Failure`].
pub async fn run(context: &CommandContext, command: ViewsCommand, json: bool) -> Result<String, Failure> {
    fn shown<T: Serialize + fmt::Display>(outcome: &T, json: bool) -> Result<String, Failure> {
        Ok(if json { serde_json::to_string_pretty(outcome)? } else { outcome.to_string() })
    }
    match command {
        ViewsCommand::Build(args) => shown(&build(context, &args).await?, json),
        ViewsCommand::Status => shown(&status(context).await?, json),
        ViewsCommand::Verify(args) => shown(&proof::run(context, &args).await?, json),
        ViewsCommand::Promote => shown(&change(context, "verified", "promoted").await?, json),
        ViewsCommand::Rollback => shown(&change(context, "previous", "rolled back").await?, json),
        ViewsCommand::Cancel => shown(&cancel(context).await?, json),
    }
}

/// Reads the state.
///
/// # Errors
/// The database's.
pub async fn status(context: &CommandContext) -> Result<Standby, Failure> {
    let row =
        sqlx::query("SELECT state, rate_limit, note, proof FROM views_standby").fetch_optional(&context.pool).await?;
    // Where it stands is told by its own checkpoint: reports come once a second.
    let (behind, left, rate, silent): (i64, i64, f64, f64) = sqlx::query_as(
        "SELECT (SELECT coalesce(sum(greatest(live.next_offset - coalesce(own.next_offset, 0), 0)), 0)::bigint
                 FROM checkpoints AS live LEFT JOIN checkpoints AS own
                   ON own.projection = $1 AND (own.topic, own.partition) = (live.topic, live.partition)
                 WHERE live.projection = 'views'),
                coalesce(sum(lag_events), 0)::bigint, coalesce(sum(rate_per_second), 0),
                coalesce(extract(epoch FROM now() - min(heartbeat_at)), 1e9)::float8
         FROM projection_status WHERE projection = $1",
    )
    .bind(rebuild::PROJECTION)
    .fetch_one(&context.pool)
    .await?;
    let events_left = left.max(behind);
    #[expect(clippy::cast_precision_loss, reason = "seconds for people")]
    let eta_seconds = (rate > 0.0).then(|| events_left as f64 / rate);
    let Some(row) = row else {
        let nothing = Standby {
            state: None,
            events_left: 0,
            rate_per_second: 0.0,
            eta_seconds: None,
            caught_up: false,
            alive: false,
            rate_limit: None,
            note: String::new(),
            proof: None,
        };
        return Ok(nothing);
    };
    let alive = silent < SILENCE.as_secs_f64();
    Ok(Standby {
        state: Some(row.try_get("state")?),
        events_left,
        rate_per_second: rate,
        eta_seconds,
        caught_up: alive && behind == 0,
        alive,
        rate_limit: row.try_get("rate_limit")?,
        note: row.try_get("note")?,
        proof: row.try_get("proof")?,
    })
}

/// Has a second set built.
///
/// # Errors
/// A refusal if that would take the way back, a failure of the build, or silence of the projector.
pub async fn build(context: &CommandContext, args: &BuildArgs) -> Result<Standby, Failure> {
    let found = status(context).await?;
    match found.state.as_deref() {
        Some("previous") if !args.replace => {
            let why = "the set that was live before is kept for the way back; --replace gives it up for a new one";
            return Err(Failure::refused("way_back", why));
        }
        Some("previous") => {
            cancel(context).await?;
            gone(context).await?;
        }
        // It may still be on its way out.
        Some("cancelled" | "failed") => gone(context).await?,
        _ => {}
    }
    sqlx::query(
        "INSERT INTO views_standby (state, rate_limit, asked_by) VALUES ('building', $1, $2) ON CONFLICT (one) DO UPDATE
         SET rate_limit = excluded.rate_limit, state = CASE WHEN views_standby.state = 'verified' THEN 'verified' ELSE 'building' END,
             asked_at = now(), asked_by = excluded.asked_by, note = '', proof = NULL",
    )
    .bind(args.rate)
    .bind(&context.actor)
    .execute(&context.pool)
    .await?;
    context.record(&context.pool, "views.build", "views", json!({"rate": args.rate})).await?;
    if args.no_wait { status(context).await } else { follow(context).await }
}

/// Waits until the projector has dropped what is no longer wanted.
async fn gone(context: &CommandContext) -> Result<(), Failure> {
    let began = Instant::now();
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE schemaname = $1")
            .bind(rebuild::SCHEMA)
            .fetch_one(&context.pool)
            .await?;
        if left == 0 {
            return Ok(());
        }
        if began.elapsed() > SILENCE {
            return Err(Failure::TimedOut("the old second set is not dropped; is a projector running?".to_owned()));
        }
    }
}

async fn follow(context: &CommandContext) -> Result<Standby, Failure> {
    let bar = context.bar(0, "building the views");
    let (mut heard, mut most) = (Instant::now(), 0);
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        let found = status(context).await?;
        most = found.events_left.max(most);
        bar.set_length(u64::try_from(most).unwrap_or_default());
        bar.set_position(u64::try_from(most - found.events_left).unwrap_or_default());
        match found.state.as_deref() {
            Some("failed" | "cancelled") | None => return Err(Failure::refused("given_up", found.note)),
            _ if found.caught_up => {
                bar.finish_and_clear();
                return Ok(found);
            }
            _ => {}
        }
        if found.alive {
            heard = Instant::now();
        }
        if heard.elapsed() > SILENCE {
            return Err(Failure::TimedOut("nobody builds; is a projector with the role views running?".to_owned()));
        }
    }
}

/// Lets the two sets change places.
///
/// # Errors
/// A refusal if the second set is not in the right state.
pub async fn change(context: &CommandContext, from: &str, done: &'static str) -> Result<Changed, Failure> {
    let found = status(context).await?;
    if found.state.as_deref() != Some(from) {
        let state = found.state.as_deref().unwrap_or("not there");
        let advice = if from == "verified" { "verify it first" } else { "there is no way back: build the views anew" };
        return Err(Failure::refused("not_ready", format!("the second set is {state}, not {from}; {advice}")));
    }
    let mut connection = context.pool.acquire().await?;
    let swapped = rebuild::swap(&mut connection).await.map_err(failure)?;
    let detail = json!({"documents": swapped.documents, "standstill_ms": swapped.standstill_ms});
    let action = if from == "verified" { "views.promote" } else { "views.rollback" };
    context.record(&context.pool, action, "views", detail).await?;
    Ok(Changed { done, documents: swapped.documents, standstill_ms: swapped.standstill_ms })
}

/// Gives the second set up.
///
/// # Errors
/// The database's.
pub async fn cancel(context: &CommandContext) -> Result<Standby, Failure> {
    let mut connection = context.pool.acquire().await?;
    rebuild::give_up(&mut connection, &format!("by {}", context.actor)).await?;
    context.record(&context.pool, "views.cancel", "views", json!({})).await?;
    status(context).await
}

fn failure(error: RebuildError) -> Failure {
    match error {
        RebuildError::Database(error) => Failure::Database(error),
        other => Failure::TimedOut(other.to_string()),
    }
}
