//! The command line: every command with its help, and what runs it.

use crate::{
    build, bundles, compare, context::CommandContext, control, failure::Failure, letters, plan, probe, promote,
    reconcile, replay, rollback, serve, settings::Settings, status, verify, views, watch,
};
use clap::{Parser, Subcommand};

/// Look after the read models: plan, build, prove, promote and take back index generations.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "reindex",
    version,
    after_help = "Examples:
  reindex status
  reindex bundle show > bundle.toml          # what is live, as a file to edit
  reindex plan --bundle bundle.toml          # what it would take
  reindex build --bundle bundle.toml         # beside the live generation, with a bar
  reindex verify g2                          # the proof; refuses what was not declared
  reindex compare g2 --judgments judgments.csv
  reindex promote g2 --watch 300             # and back by itself if it does worse
  reindex rollback --reason 'too many misses'
  reindex letters list                       # events that could not be applied
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
    /// Show the generations, who serves them, and how far each projection is
    Status,
    /// Show, check and compare release bundles
    #[command(subcommand)]
    Bundle(bundles::BundleCommand),
    /// Say what a bundle would take, and write down a generation for it
    Plan(plan::Args),
    /// Have a generation built, and follow it until it has caught up
    Build(build::Args),
    /// Prove that a generation holds what the active one holds, and differs only where its plan says so
    Verify(verify::Args),
    /// Compare what shoppers would see: the active generation beside another
    Compare(compare::Args),
    /// Have queries answered by a generation that was verified
    Promote(promote::Args),
    /// Go back to the generation that answered before
    Rollback(rollback::Args),
    /// Watch the generation that answers, and roll back if it does worse than the one before
    Watch(watch::Args),
    /// Give a generation up that is not active
    Cancel(control::Named),
    /// Let a build or a copy stand still
    Pause(control::Named),
    /// Let it go on
    Resume(control::Named),
    /// Forget generations that are no longer needed, and remove their files on every node
    Prune(control::PruneArgs),
    /// Compare write side, views, documents, index and vectors, and mend what differs
    Reconcile(reconcile::Args),
    /// Look at events that could not be applied, and settle them
    Letters(letters::Args),
    /// Write a product and search for it, and tell how long that took
    Probe(probe::ProbeArgs),
    /// Build the views in the read database anew beside the live ones, prove them, and let them change places
    #[command(subcommand)]
    Views(views::ViewsCommand),
    /// Read a topic again from an earlier place; what is known stays as it is
    Replay(replay::Args),
    /// Serve operations to the console, and reconcile in the background
    Serve(serve::Args),
}

/// Does what the command line asks; gives the text to print.
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
        Command::Letters(args) => letters::run(&context, args, json).await?,
        Command::Probe(args) => probe::rounds(&context, &args, json).await?,
        Command::Views(command) => views::run(&context, command, json).await?,
        Command::Replay(args) => shown!(replay::run(&context, &args).await?),
        Command::Serve(args) => {
            serve::run(context, args).await?;
            String::new()
        }
    })
}
