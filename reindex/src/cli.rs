//! The command line: every command with its help, and what runs it.

use crate::{
    build, bundles, compare, context::CommandContext, control, dead_letters, failure::Failure, plan, probe, promote,
    reconcile, replay, rollback, serve, settings::Settings, status, verify, views, watch,
};
use clap::{Parser, Subcommand};

/// Operate the read models: build, verify, promote and roll back indexes, views and vectors; settle dead letters
#[derive(Debug, Clone, Parser)]
#[command(
    name = "reindex",
    version,
    after_help = "Examples:
  reindex status
  reindex bundle show > bundle.toml          # the active bundle, as a file to edit
  reindex plan --bundle bundle.toml          # what the change needs
  reindex build --bundle bundle.toml         # beside the active generation
  reindex verify g2                          # refuses undeclared differences
  reindex compare g2 --judgments judgments.csv
  reindex promote g2 --watch 300             # rolls back if it does worse
  reindex rollback --reason 'too many misses'
  reindex dead-letters list                  # events that could not be applied
  reindex probe --rounds 10                  # write to searchable, measured"
)]
pub struct Cli {
    /// The settings.
    #[command(flatten)]
    pub settings: Settings,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Show the generations, the nodes that serve them, and the lag of each projection
    Status,
    /// Show, check and compare release bundles
    #[command(subcommand)]
    Bundle(bundles::BundleCommand),
    /// Show what a bundle needs, and plan a generation with it
    Plan(plan::Args),
    /// Build a generation, and wait until it has caught up
    Build(build::Args),
    /// Verify that a generation differs from the active one only where its bundle says so
    Verify(verify::Args),
    /// Compare the search results of a generation with those of the active one
    Compare(compare::Args),
    /// Make a verified generation the active one
    Promote(promote::Args),
    /// Make the generation active that was active before
    Rollback(rollback::Args),
    /// Watch the active generation, and roll back if it does worse than the one before
    Watch(watch::Args),
    /// Cancel a generation that is not active
    Cancel(control::Named),
    /// Pause a build or a copy
    Pause(control::Named),
    /// Resume a build or a copy
    Resume(control::Named),
    /// Delete generations that are no longer needed, with their files on every node
    Prune(control::PruneArgs),
    /// Compare the write side, views, documents, index and vectors, and repair what differs
    Reconcile(reconcile::Args),
    /// List events that could not be applied, and retry, edit or discard them
    #[command(alias = "letters")]
    DeadLetters(dead_letters::Args),
    /// Measure the time from a write to the search that finds it
    Probe(probe::ProbeArgs),
    /// Build a second set of views, verify it, and promote it
    #[command(subcommand)]
    Views(views::ViewsCommand),
    /// Read a topic again from an earlier offset
    Replay(replay::Args),
    /// Serve operations to the console, and run the reconciler and the probe
    Serve(serve::Args),
}

/// Runs a command line and gives the text to print.
///
/// # Errors
/// [`Failure`] says what to look at.
pub async fn run(cli: Cli) -> Result<String, Failure> {
    let context = CommandContext::open(&cli.settings, true)?;
    let json = cli.json;
    macro_rules! shown {
        ($outcome:expr) => {{
            let outcome = $outcome;
            if json { serde_json::to_string_pretty(&outcome)? } else { outcome.to_string() }
        }};
    }
    Ok(match cli.command {
        Command::Status => shown!(status::read(&context).await?),
        Command::Bundle(command) => bundles::run(&context, command, json).await?,
        Command::Plan(args) => shown!(plan::run(&context, &args).await?),
        Command::Build(args) => shown!(build::run(&context, &args).await?),
        Command::Verify(args) => shown!(verify::run(&context, &args).await?),
        Command::Compare(args) => shown!(compare::run(&context, &args).await?),
        Command::Promote(args) => shown!(promote::run(&context, &args).await?),
        Command::Rollback(args) => shown!(rollback::run(&context, &args).await?),
        Command::Watch(args) => shown!(watch::run(&context, &args).await?),
        Command::Cancel(args) => shown!(control::cancel(&context, &args.generation).await?),
        Command::Pause(args) => shown!(control::pause(&context, &args.generation, true).await?),
        Command::Resume(args) => shown!(control::pause(&context, &args.generation, false).await?),
        Command::Prune(args) => shown!(control::prune(&context, &args).await?),
        Command::Reconcile(args) => shown!(reconcile::run(&context, &args).await?),
        Command::DeadLetters(args) => dead_letters::run(&context, args, json).await?,
        Command::Probe(args) => probe::rounds(&context, &args, json).await?,
        Command::Views(command) => views::run(&context, command, json).await?,
        Command::Replay(args) => shown!(replay::run(&context, &args).await?),
        Command::Serve(args) => {
            serve::run(context, args).await?;
            String::new()
        }
    })
}
