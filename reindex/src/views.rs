//! `reindex views`: the views in the read database, built anew from the events beside the live ones and put in their
//! place. The projector builds and follows; these commands say what is wanted and wait for it, so they can be
//! interrupted and run again. See docs/guides/rebuild-views.md.

use crate::{context::CommandContext, failure::Failure};
use clap::Subcommand;
use projector::rebuild;
use serde::Serialize;
use serde_json::json;
use std::{
    fmt,
    time::{Duration, Instant},
};

pub mod proof;
pub mod standby;

use standby::{SILENCE, Standby, StandbyState, status};

/// How often the state is looked at.
const LOOK: Duration = Duration::from_millis(200);
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
        ViewsCommand::Promote => shown(&change(context, StandbyState::Verified).await?, json),
        ViewsCommand::Rollback => shown(&change(context, StandbyState::Previous).await?, json),
        ViewsCommand::Cancel => shown(&cancel(context).await?, json),
    }
}

/// Has a second set built.
///
/// # Errors
/// A refusal if that would take the way back, a failure of the build, or silence of the projector.
pub async fn build(context: &CommandContext, args: &BuildArgs) -> Result<Standby, Failure> {
    let found = status(context).await?;
    match found.state {
        Some(StandbyState::Previous) if !args.replace => {
            let why = "the set that was live before is kept for the way back; --replace gives it up for a new one";
            return Err(Failure::refused("way_back", why));
        }
        Some(StandbyState::Previous) => {
            cancel(context).await?;
            gone(context).await?;
        }
        // It may still be on its way out.
        Some(StandbyState::Cancelled | StandbyState::Failed) => gone(context).await?,
        Some(StandbyState::Building | StandbyState::Verified) | None => {}
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
        match found.state {
            Some(StandbyState::Failed | StandbyState::Cancelled) | None => {
                return Err(Failure::refused("given_up", found.note));
            }
            Some(_) if found.caught_up => {
                bar.finish_and_clear();
                return Ok(found);
            }
            Some(_) => {}
        }
        if found.alive {
            heard = Instant::now();
        }
        if heard.elapsed() > SILENCE {
            return Err(Failure::TimedOut("nobody builds; is a projector with the role views running?".to_owned()));
        }
    }
}

/// Swaps the two sets: a promotion from [`StandbyState::Verified`], a rollback from [`StandbyState::Previous`].
///
/// # Errors
/// A refusal if the second set is not in that state.
pub async fn change(context: &CommandContext, from: StandbyState) -> Result<Changed, Failure> {
    let (done, action, advice) = if from == StandbyState::Previous {
        ("rolled back", "views.rollback", "no former set is kept: build the views again")
    } else {
        ("promoted", "views.promote", "verify it first")
    };
    let found = status(context).await?;
    if found.state != Some(from) {
        let state = found.state.map_or("missing", StandbyState::name);
        return Err(Failure::refused("not_ready", format!("the second set is {state}, not {from}; {advice}")));
    }
    let mut connection = context.pool.acquire().await?;
    let swapped = rebuild::swap(&mut connection).await?;
    let detail = json!({"documents": swapped.documents, "standstill_ms": swapped.standstill_ms});
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
