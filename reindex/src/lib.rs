//! reindex: what operators do with the read models. A new index generation is planned from a release bundle, built
//! beside the live one, verified, compared, promoted, watched and, if need be, taken back; all of it is written down in
//! the read database, and every command can be interrupted and run again.
//!
//! [`desk`] holds what every command needs, [`generations`] the one state machine; each command has a file of its own;
//! [`serve`] is the same for the console, and the background jobs.
//!
//! To add a command: a file, a variant of [`Command`], and an arm of [`run`].

use clap::{Parser, Subcommand};
use service::telemetry::TelemetryOptions;
use std::path::PathBuf;

pub mod build;
pub mod bundles;
pub mod compare;
pub mod control;
pub mod desk;
pub mod generations;
pub mod letters;
pub mod plan;
pub mod probe;
pub mod promote;
pub mod reconcile;
pub mod replay;
pub mod serve;
pub mod status;
pub mod vectors;
pub mod verify;
pub mod views;
pub mod watch;

pub use desk::{Desk, Failure};

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

/// What every command takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Settings {
    /// TOML file with these settings, named like the flags
    #[arg(long, env = "SOUK_CONFIG", global = true)]
    pub config: Option<PathBuf>,
    /// The read database; for `status`, a role that can only read is enough
    #[arg(
        long,
        env = "SOUK_READ_DATABASE_URL",
        default_value = "postgres://souk@127.0.0.1:5432/souk_read",
        global = true
    )]
    pub read_database_url: String,
    /// Folder of the index generations
    #[arg(long, env = "SOUK_INDEX_DIR", default_value = "index", global = true)]
    pub index_dir: PathBuf,
    /// The node whose folder that is [default: the host's name]
    #[arg(long, env = "SOUK_NODE", global = true)]
    pub node: Option<String>,
    /// Who does this, for the record [default: the user's name]
    #[arg(long, env = "SOUK_ACTOR", global = true)]
    pub actor: Option<String>,
    /// A query-api to ask [default: one that the read database knows]
    #[arg(long, env = "SOUK_QUERY_URL", global = true)]
    pub query_url: Option<String>,
    /// Key of staff's routes, for `compare` and `serve`
    #[arg(long, env = "SOUK_STAFF_KEY", hide_env_values = true, global = true)]
    pub staff_key: Option<String>,
    /// File with the key that certificates are signed with [default: certificates.key in the index folder, made when
    /// it is missing]
    #[arg(long, env = "SOUK_SIGNING_KEY", global = true)]
    pub signing_key: Option<PathBuf>,
    /// Logs and traces.
    #[command(flatten)]
    pub telemetry: TelemetryOptions,
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
    Promote(promote::PromoteArgs),
    /// Go back to the generation that answered before
    Rollback(promote::RollbackArgs),
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
    let desk = Desk::open(&cli.settings, true)?;
    let json = cli.json;
    macro_rules! shown {
        ($outcome:expr) => {{
            let outcome = $outcome;
            if json { serde_json::to_string_pretty(&outcome)? } else { outcome.to_string() }
        }};
    }
    Ok(match cli.command {
        Command::Status => shown!(status::read(&desk).await?),
        Command::Bundle(command) => bundles::run(&desk, command, json).await?,
        Command::Plan(args) => shown!(plan::run(&desk, &args).await?),
        Command::Build(args) => shown!(build::run(&desk, &args).await?),
        Command::Verify(args) => shown!(verify::run(&desk, &args).await?),
        Command::Compare(args) => shown!(compare::run(&desk, &args).await?),
        Command::Promote(args) => shown!(promote::promote(&desk, &args).await?),
        Command::Rollback(args) => shown!(promote::rollback(&desk, &args).await?),
        Command::Watch(args) => shown!(watch::run(&desk, &args).await?),
        Command::Cancel(args) => shown!(control::cancel(&desk, &args.generation).await?),
        Command::Pause(args) => shown!(control::pause(&desk, &args.generation, true).await?),
        Command::Resume(args) => shown!(control::pause(&desk, &args.generation, false).await?),
        Command::Prune(args) => shown!(control::prune(&desk, &args).await?),
        Command::Reconcile(args) => shown!(reconcile::run(&desk, &args).await?),
        Command::Letters(args) => letters::run(&desk, args, json).await?,
        Command::Probe(args) => probe::rounds(&desk, &args, json).await?,
        Command::Views(command) => views::run(&desk, command, json).await?,
        Command::Replay(args) => shown!(replay::run(&desk, &args).await?),
        Command::Serve(args) => {
            serve::run(desk, args).await?;
            String::new()
        }
    })
}
