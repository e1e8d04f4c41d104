//! `reindex build`: has a generation built, and shows how far it is. The index writers of all nodes build it; ending
//! this command ends nothing else.

use crate::{
    context::CommandContext,
    failure::Failure,
    generations::{self, Generation, State},
    plan, vectors,
};
use serde::Serialize;
use std::{
    fmt,
    time::{Duration, Instant},
};

/// How often the progress is looked at.
const LOOK: Duration = Duration::from_millis(300);
/// How long the writers may be silent.
const SILENCE: Duration = Duration::from_secs(30);

/// Build a generation, and wait until it has caught up
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  reindex build g2\n  reindex build --bundle bundle.toml --from views\n  reindex build g2 --no-wait\n  reindex build g2 --at-once\n\nWhile shoppers search on a node, a build there works an eighth of the time, so it takes several times as long. Interrupting this command does not stop the build. `reindex pause` and `reindex cancel` stop it."
)]
pub struct Args {
    /// A generation that was planned
    #[arg(required_unless_present_any = ["bundle", "same"])]
    pub generation: Option<String>,
    /// Plan the generation with this bundle first
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Don't slow down for shoppers; also changes a running build
    #[arg(long)]
    pub at_once: bool,
    /// Don't wait for the build
    #[arg(long)]
    pub no_wait: bool,
}

/// The flags of `plan`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct PlanArgs {
    /// Plan a generation with this bundle first
    #[arg(long, value_name = "FILE", conflicts_with = "generation")]
    pub bundle: Option<std::path::PathBuf>,
    /// Plan a generation with the active bundle first
    #[arg(long, conflicts_with_all = ["generation", "bundle"])]
    pub same: bool,
    /// Source of the documents
    #[arg(long, value_enum)]
    pub from: Option<generations::DocumentSource>,
    /// Most documents a second
    #[arg(long)]
    pub rate: Option<i32>,
}

/// A build, as far as it is.
#[derive(Debug, Clone, Serialize)]
pub struct Built {
    /// The generation.
    pub generation: String,
    /// Where it is in its life.
    pub state: State,
    /// Documents its copies hold, the fewest of them.
    pub documents: i64,
    /// Seconds this command has waited.
    pub waited_seconds: f64,
}

impl fmt::Display for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { generation, state, documents, waited_seconds } = self;
        match state {
            State::Building => writeln!(f, "{generation} is being built; `reindex status` shows how far it is"),
            _ => writeln!(
                f,
                "{generation} holds {documents} documents after {waited_seconds:.1} s and follows the topic; `reindex verify {generation}` proves it"
            ),
        }
    }
}

/// Has a generation built.
///
/// # Errors
/// A refusal if it can't be built any more; a build that fails on a node says why.
pub async fn run(context: &CommandContext, args: &Args) -> Result<Built, Failure> {
    let name = match &args.generation {
        Some(name) => name.clone(),
        None => {
            let asked = plan::Args {
                bundle: args.plan.bundle.clone(),
                same: args.plan.same,
                from: args.plan.from,
                rate: args.plan.rate,
                name: None,
                dry_run: false,
            };
            let planned = plan::run(context, &asked).await?;
            planned.generation.ok_or_else(|| Failure::Other("nothing was planned".to_owned()))?
        }
    };
    start(context, &name, args.at_once).await?;
    follow(context, &name, !args.no_wait).await
}

/// Has the writers begin, unless they have. `at_once`: they work on while shoppers search; what runs already is told.
///
/// # Errors
/// A refusal if it can't be built any more.
pub async fn start(context: &CommandContext, name: &str, at_once: bool) -> Result<(), Failure> {
    let found = generations::named(context, name).await?;
    let begins = match found.state {
        State::Planned | State::Failed => true,
        State::Building => false,
        state if state.is_followed() => false,
        state => return Err(Failure::refused("not_buildable", format!("{name} is {state}; plan another one"))),
    };
    let mut transaction = context.pool.begin().await?;
    if at_once && !found.at_once {
        sqlx::query("UPDATE index_generations SET at_once = true WHERE generation = $1")
            .bind(name)
            .execute(&mut *transaction)
            .await?;
        context.record(&mut *transaction, "generation.at_once", name, serde_json::json!({})).await?;
    }
    if begins {
        generations::step(context, &mut transaction, &found, State::Building, "").await?;
    }
    Ok(transaction.commit().await?)
}

/// Waits until a build has caught up, with a bar.
///
/// # Errors
/// If it is given up, or the writers are silent.
pub async fn follow(context: &CommandContext, name: &str, wait: bool) -> Result<Built, Failure> {
    let (began, mut heard) = (Instant::now(), Instant::now());
    let mut ticks = tokio::time::interval(LOOK);
    let bar = context.bar(0, &format!("building {name}"));
    loop {
        ticks.tick().await;
        let found: Generation = generations::named(context, name).await?;
        let (documents, expected, alive, error): (i64, i64, i64, String) = sqlx::query_as(
            "SELECT coalesce(min(documents), 0), coalesce(max(expected), 0),
                    count(*) FILTER (WHERE heartbeat_at > now() - interval '10 seconds'), coalesce(max(error), '')
             FROM generation_copies WHERE generation = $1",
        )
        .bind(name)
        .fetch_one(&context.pool)
        .await?;
        let unsigned = |number: i64| u64::try_from(number).unwrap_or_default();
        bar.set_length(unsigned(expected.max(documents)));
        bar.set_position(unsigned(documents));
        let built = Built {
            generation: name.to_owned(),
            state: found.state,
            documents,
            waited_seconds: began.elapsed().as_secs_f64(),
        };
        match found.state {
            State::Building if !wait => return Ok(built),
            State::Building if found.paused => bar.set_message(format!("{name} is paused")),
            State::Building if found.at_once => bar.set_message(format!("building {name}")),
            State::Building => bar.set_message(format!("building {name}, giving way to shoppers")),
            state if state.is_followed() => {
                bar.finish_and_clear();
                let model = found.manifest()?.bundle.model;
                // Vectors that are in use are as complete for this generation as for the active one: nobody waits for them.
                let is_in_use = generations::active(context).await?.manifest().is_ok_and(|it| it.bundle.model == model);
                if wait && !is_in_use {
                    vectors::follow(context, &model).await?;
                }
                return Ok(Built { waited_seconds: began.elapsed().as_secs_f64(), ..built });
            }
            state => return Err(Failure::refused("given_up", format!("{name} is {state}: {}", found.note))),
        }
        if alive > 0 {
            heard = Instant::now();
        }
        if heard.elapsed() > SILENCE {
            let reason =
                if error.is_empty() { "is a projector with the role index running?".to_owned() } else { error };
            return Err(Failure::TimedOut(format!("no index writer works on {name}: {reason}")));
        }
    }
}
