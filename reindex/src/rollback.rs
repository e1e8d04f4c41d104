//! `reindex rollback`: back to the generation that answered before.

use crate::{
    context::CommandContext,
    failure::Failure,
    generations::{self, State},
    switch::{self, Switched},
};

/// Make the generation active that was active before
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:\n  reindex rollback\n  reindex rollback --reason 'too many searches without a hit'")]
pub struct Args {
    /// The reason, which is recorded
    #[arg(long, default_value = "")]
    pub reason: String,
    /// Seconds in which every query-api has to switch
    #[arg(long, default_value_t = 60)]
    pub wait: u64,
}

/// Goes back to the generation before the newest switch.
///
/// # Errors
/// A refusal if there is none that is kept caught up.
pub async fn run(context: &CommandContext, args: &Args) -> Result<Switched, Failure> {
    let active = generations::active(context).await?;
    let previous: Option<String> = sqlx::query_scalar(
        "SELECT g.generation FROM index_generations g WHERE g.state = 'retired'
         ORDER BY g.generation = (SELECT previous FROM index_switches ORDER BY epoch DESC LIMIT 1) DESC, g.activated_at DESC NULLS LAST LIMIT 1",
    )
    .fetch_optional(&context.pool)
    .await?;
    let previous = previous.ok_or_else(|| {
        Failure::refused("nowhere_to_go", "no generation before this one is kept; promote another that was verified")
    })?;
    let target = generations::named(context, &previous).await?;
    target.manifest()?;
    let mut transaction = context.pool.begin().await?;
    generations::step(context, &mut transaction, &active, State::RolledBack, &args.reason).await?;
    let epoch = switch::activate(context, &mut transaction, &target, &active, "rollback", &args.reason).await?;
    transaction.commit().await?;
    switch::followed(context, &target, &active, epoch, args.wait).await
}
