//! `reindex cancel`, `pause`, `resume` and `prune`.

use crate::{
    context::CommandContext,
    failure::Failure,
    generations::{self, State},
};
use serde::Serialize;
use std::fmt;

/// A generation by name.
#[derive(Debug, Clone, clap::Args)]
pub struct Named {
    /// The generation
    pub generation: String,
}

/// Delete generations that are no longer needed, with their files on every node
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  reindex prune             # all but the active one and the one before\n  reindex prune --keep 0    # all but the active one: there is no way back then"
)]
pub struct PruneArgs {
    /// How many of the last retired generations to keep for a rollback
    #[arg(long, default_value_t = 1)]
    pub keep: usize,
    /// Only say what would be deleted
    #[arg(long)]
    pub dry_run: bool,
}

/// What was done.
#[derive(Debug, Clone, Serialize)]
pub struct Done {
    /// The generations it was done to.
    pub generations: Vec<String>,
    /// In a word: `cancelled`.
    pub done: &'static str,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.generations.as_slice() {
            [] => writeln!(f, "nothing to do"),
            names => writeln!(f, "{} {}", self.done, names.join(", ")),
        }
    }
}

/// Gives a generation up.
///
/// # Errors
/// A refusal if it answers queries.
pub async fn cancel(context: &CommandContext, name: &str) -> Result<Done, Failure> {
    let found = generations::named(context, name).await?;
    let done = Done { generations: vec![name.to_owned()], done: "cancelled" };
    match found.state {
        State::Cancelled => return Ok(done),
        State::Active => {
            return Err(Failure::refused(
                "active",
                format!("{name} answers queries; promote another or roll back first"),
            ));
        }
        _ => {}
    }
    let mut transaction = context.pool.begin().await?;
    generations::step(context, &mut transaction, &found, State::Cancelled, &format!("by {}", context.actor)).await?;
    transaction.commit().await?;
    Ok(done)
}

/// Lets a copy stand still, or go on.
///
/// # Errors
/// A refusal if it answers queries: shoppers would miss what is new.
pub async fn pause(context: &CommandContext, name: &str, paused: bool) -> Result<Done, Failure> {
    let found = generations::named(context, name).await?;
    if paused && found.state == State::Active {
        return Err(Failure::refused("active", format!("{name} answers queries: shoppers would miss what is new")));
    }
    sqlx::query("UPDATE index_generations SET paused = $2, stop_at = CASE WHEN $2 THEN stop_at END WHERE generation = $1 AND paused IS DISTINCT FROM $2")
        .bind(name)
        .bind(paused)
        .execute(&context.pool)
        .await?;
    let action = if paused { "generation.paused" } else { "generation.resumed" };
    context.record(&context.pool, action, name, serde_json::json!({})).await?;
    Ok(Done { generations: vec![name.to_owned()], done: if paused { "paused" } else { "resumed" } })
}

/// Forgets what is no longer needed; the index writers remove the files.
///
/// # Errors
/// The database's.
pub async fn prune(context: &CommandContext, args: &PruneArgs) -> Result<Done, Failure> {
    let mut transaction = context.pool.begin().await?;
    let gone: Vec<String> = sqlx::query_scalar(
        "SELECT generation FROM (
           SELECT generation, state, row_number() OVER (
             PARTITION BY state IN ('retired', 'rolled_back') ORDER BY activated_at DESC NULLS LAST) AS place
           FROM index_generations WHERE state IN ('retired', 'rolled_back', 'cancelled', 'failed')) AS ended
         WHERE state IN ('cancelled', 'failed') OR place > $1 ORDER BY generation",
    )
    .bind(i64::try_from(args.keep).unwrap_or(i64::MAX))
    .fetch_all(&mut *transaction)
    .await?;
    if !args.dry_run {
        sqlx::query("DELETE FROM index_generations WHERE generation = ANY($1) AND state <> 'active'")
            .bind(&gone)
            .execute(&mut *transaction)
            .await?;
        for name in &gone {
            context.record(&mut *transaction, "generation.pruned", name, serde_json::json!({})).await?;
        }
    }
    transaction.commit().await?;
    Ok(Done { generations: gone, done: if args.dry_run { "would forget" } else { "forgot" } })
}
