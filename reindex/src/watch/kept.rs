//! A watch as the read database keeps it, so that it outlives the command that asked for it. Several may look after one;
//! a lease lets one of them judge, and another as soon as that one is gone.

use super::{Limits, figures, worse};
use crate::{
    context::CommandContext,
    failure::Failure,
    generations::{self, State},
    rollback,
};
use search::nodes::Figures;
use serde_json::Value;
use sqlx::PgConnection;

/// What was put before shoppers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Kind {
    /// The generation answers everybody; it is held against the one before.
    Promotion,
    /// It answers a share; it is held against the one that answers the others.
    Canary,
}

/// A watch that goes on.
#[derive(Debug, sqlx::FromRow)]
struct Kept {
    kind: Kind,
    actor: String,
    limits: Value,
    before: Value,
    worse: Vec<String>,
    is_over: bool,
}

/// How a watch ended, or stands.
#[derive(Debug, sqlx::FromRow)]
pub struct Standing {
    /// Seconds it has lasted.
    pub seconds: f64,
    /// The figures it is held against.
    pub before: Value,
    /// The last figures.
    pub after: Value,
    /// What was worse.
    pub worse: Vec<String>,
    /// The generation that was gone back to.
    pub rolled_back_to: Option<String>,
    /// None while it goes on.
    pub outcome: Option<String>,
}

/// Begins a watch, for some seconds or until the trial ends. One of the same generation before is over with it.
///
/// # Errors
/// The database's.
pub async fn begin(
    context: &CommandContext,
    connection: &mut PgConnection,
    (generation, kind): (&str, Kind),
    (before, limits): (&Figures, &Limits),
    seconds: Option<u64>,
) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO index_watches AS w (generation, kind, actor, limits, before, ends_at)
         VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))
         ON CONFLICT (generation) DO UPDATE SET kind = excluded.kind, actor = excluded.actor, limits = excluded.limits,
           before = excluded.before, after = '{}', began_at = now(), ends_at = excluded.ends_at, watcher = '',
           looked_at = now(), worse = '{}', rolled_back_to = NULL, outcome = NULL",
    )
    .bind(generation)
    .bind(kind)
    .bind(&context.actor)
    .bind(serde_json::to_value(limits)?)
    .bind(serde_json::to_value(before)?)
    .bind(seconds.map(|seconds| f64::from(u32::try_from(seconds).unwrap_or(u32::MAX))))
    .execute(connection)
    .await?;
    Ok(())
}

/// The generations that are watched.
///
/// # Errors
/// The database's.
pub async fn open(context: &CommandContext) -> Result<Vec<String>, Failure> {
    Ok(sqlx::query_scalar("SELECT generation FROM index_watches WHERE outcome IS NULL ORDER BY generation")
        .fetch_all(&context.pool)
        .await?)
}

/// How a watch stands.
///
/// # Errors
/// The database's.
pub async fn standing(context: &CommandContext, generation: &str) -> Result<Standing, Failure> {
    Ok(sqlx::query_as(
        "SELECT extract(epoch FROM now() - began_at)::float8 AS seconds, before, after, worse, rolled_back_to, outcome
         FROM index_watches WHERE generation = $1",
    )
    .bind(generation)
    .fetch_one(&context.pool)
    .await?)
}

/// Looks once, unless somebody else does, and takes the generation back if it does worse.
///
/// # Errors
/// The database's, or those of the rollback; the next look goes on where this one was.
pub async fn look(context: &CommandContext, generation: &str, watcher: &str) -> Result<(), Failure> {
    let Some(kept) = lease(context, generation, watcher).await? else { return Ok(()) };
    let context = context.acting(&kept.actor);
    let (watched, active) = (generations::named(&context, generation).await?, generations::active(&context).await?);
    let still_there = match kept.kind {
        Kind::Promotion => active.generation == generation,
        Kind::Canary => watched.state == State::Ready && watched.canary > 0,
    };
    if !still_there {
        // Taken back by a look that did not come to its end, or moved by somebody.
        let outcome = if kept.worse.is_empty() { "ended" } else { "worse" };
        return ended(&context, generation, outcome).await;
    }
    let limits: Limits = serde_json::from_value(kept.limits)?;
    let before = match kept.kind {
        Kind::Promotion => serde_json::from_value(kept.before)?,
        Kind::Canary => figures(&context, &active.generation).await?,
    };
    let after = figures(&context, generation).await?;
    let found = if kept.worse.is_empty() { worse(&before, &after, &limits) } else { kept.worse };
    sqlx::query("UPDATE index_watches SET before = $2, after = $3, worse = $4 WHERE generation = $1")
        .bind(generation)
        .bind(serde_json::to_value(before)?)
        .bind(serde_json::to_value(after)?)
        .bind(&found)
        .execute(&context.pool)
        .await?;
    if !found.is_empty() {
        return take_back(&context, generation, kept.kind, &found.join("; ")).await;
    }
    if kept.is_over { ended(&context, generation, "stays").await } else { Ok(()) }
}

/// Takes the watch over, if nobody has looked of late.
async fn lease(context: &CommandContext, generation: &str, watcher: &str) -> Result<Option<Kept>, Failure> {
    Ok(sqlx::query_as(
        "UPDATE index_watches SET watcher = $2, looked_at = now()
         WHERE generation = $1 AND outcome IS NULL AND (watcher IN ('', $2) OR looked_at < now() - interval '3 seconds')
         RETURNING kind, actor, limits, before, worse, coalesce(ends_at <= now(), false) AS is_over",
    )
    .bind(generation)
    .bind(watcher)
    .fetch_optional(&context.pool)
    .await?)
}

async fn take_back(context: &CommandContext, generation: &str, kind: Kind, why: &str) -> Result<(), Failure> {
    match kind {
        Kind::Promotion => {
            let back = rollback::Args { reason: why.to_owned(), wait: 60 };
            let switched = rollback::run(context, &back).await?;
            sqlx::query("UPDATE index_watches SET rolled_back_to = $2 WHERE generation = $1")
                .bind(generation)
                .bind(&switched.generation)
                .execute(&context.pool)
                .await?;
        }
        Kind::Canary => {
            let mut transaction = context.pool.begin().await?;
            sqlx::query(
                "UPDATE index_generations SET canary = 0, revision = revision + 1, note = 'trial taken back: ' || $2
                 WHERE generation = $1 AND canary > 0",
            )
            .bind(generation)
            .bind(why)
            .execute(&mut *transaction)
            .await?;
            let detail = serde_json::json!({"worse": why});
            context.record(&mut *transaction, "generation.canary_taken_back", generation, detail).await?;
            transaction.commit().await?;
        }
    }
    tracing::warn!(index.generation = generation, worse = why, "the generation does worse and was taken back");
    ended(context, generation, "worse").await
}

async fn ended(context: &CommandContext, generation: &str, outcome: &str) -> Result<(), Failure> {
    sqlx::query("UPDATE index_watches SET outcome = $2 WHERE generation = $1 AND outcome IS NULL")
        .bind(generation)
        .bind(outcome)
        .execute(&context.pool)
        .await?;
    Ok(())
}
