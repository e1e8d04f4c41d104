//! `souk restore`: a backup back into place, and the read side in line with it. The backup is restored beside the
//! database it replaces and takes its name only when it is whole, so a restore that is interrupted has changed
//! nothing. With the name it brings a request for a new epoch of the log; the projector carries it out
//! (docs/decisions/0014), and this command waits for that.

use crate::{
    LaunchError,
    backup::{Manifest, Tool, Which, is_archive, tar},
    migrate,
    settings::Settings,
    stack::Stack,
};
use schemas::{Utc, topics};
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

mod databases;
mod once_more;
pub mod recover;

use databases::Target;
pub use recover::Outcome;

/// Restore a backup, and update the read side to match it
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  souk restore --from /backups/souk.tar                   # into an empty installation\n  souk restore --from /backups/souk.tar --replace --yes   # replaces the present data"
)]
pub struct Args {
    /// A backup of `souk backup`
    #[arg(long)]
    pub from: PathBuf,
    /// Replace the present data
    #[arg(long)]
    pub replace: bool,
    /// Keep the replaced databases on the server, under names that are printed
    #[arg(long)]
    pub keep_replaced: bool,
    /// Don't ask
    #[arg(long)]
    pub yes: bool,
    /// Keep the present read database instead of the one in the backup
    #[arg(long)]
    pub without_read: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Where everything is.
    #[command(flatten)]
    pub settings: Settings,
}

/// What was done.
#[derive(Debug, Serialize)]
pub struct Report {
    /// When the backup was taken.
    pub taken_at: schemas::Timestamp,
    /// The epoch of the log that follows.
    pub epoch: String,
    /// Replaced databases that were kept.
    pub kept: Vec<String>,
    /// Until the databases were back.
    pub databases_seconds: f64,
    /// Whether the read side is in line, or has to wait for a projector.
    pub read_side: Outcome,
    /// Altogether.
    pub seconds: f64,
}

/// Restores.
///
/// # Errors
/// If the backup is damaged or of a newer souk, the databases hold data and `--replace` is not given, or a step
/// fails; until the last step of each database nothing has changed.
pub async fn run(args: &Args, programs: PathBuf) -> Result<Report, LaunchError> {
    let began = Instant::now();
    let stack = Stack::new(args.settings.clone(), programs)?;
    if let Some(postgres) = stack.postgres()? {
        tokio::task::block_in_place(|| stack.artifacts.fetch_postgres().and_then(|()| postgres.start()))?;
    }
    let unpacked = Unpacked::open(&args.from)?;
    let manifest = tokio::task::block_in_place(|| Manifest::load_checked(unpacked.folder()))?;
    for (which, database) in &manifest.databases {
        migrate::check_known(*which, &database.migrations)?;
    }
    let wanted = |which: &Which| *which == Which::Write || !args.without_read;
    let mut targets = Vec::new();
    // The write database last: it brings the request for a new epoch.
    for (which, database) in manifest.databases.iter().rev().filter(|(which, _)| wanted(which)) {
        let url = if *which == Which::Write { stack.settings.write_url() } else { stack.settings.read_url() };
        targets.push((Target::open(*which, &url).await?, database));
    }
    for (target, _) in &mut targets {
        if args.replace {
            continue;
        }
        if let Some(table) = target.holds_data().await? {
            return Err(LaunchError::Other(format!(
                "the {} database {} holds data in {table}; --replace restores the backup instead of it. Nothing was changed",
                target.which,
                target.name()
            )));
        }
    }
    if args.replace && !args.yes {
        confirm(&manifest, targets.iter().map(|(target, _)| target.name()))?;
    }
    let tool = Tool::fetch(&stack.artifacts)?;
    let epoch = new_epoch(&stack).await;
    for (target, database) in &mut targets {
        target.restore_aside(&tool, &unpacked.folder().join(&database.file), database).await?;
        if target.which == Which::Write {
            let reason = format!("restored a backup of {}", manifest.taken_at.format("%Y-%m-%d %H:%M:%SZ"));
            target.ask_for_epoch(&epoch, &reason).await?;
        }
    }
    let mut kept = Vec::new();
    for (target, _) in &mut targets {
        kept.extend(target.take_its_name(&epoch, args.keep_replaced).await?);
        if target.which == Which::Read {
            forget_index(&stack)?;
        }
    }
    let databases_seconds = began.elapsed().as_secs_f64();
    let read_side = recover::wait(&stack.settings, &epoch).await?;
    let seconds = began.elapsed().as_secs_f64();
    Ok(Report { taken_at: manifest.taken_at, epoch, kept, databases_seconds, read_side, seconds })
}

/// Prints a report for people.
pub fn print(report: &Report) {
    println!("The backup of {} is back.", report.taken_at.format("%Y-%m-%d %H:%M:%SZ"));
    for name in &report.kept {
        println!("The replaced database is kept as {name}.");
    }
    println!("Databases: {:.1} s. {}", report.databases_seconds, report.read_side);
}

fn confirm<'a>(manifest: &Manifest, names: impl Iterator<Item = &'a str>) -> Result<(), LaunchError> {
    println!(
        "This replaces all data of {} by the backup of {}. Type `yes` to go on:",
        names.collect::<Vec<_>>().join(" and "),
        manifest.taken_at.format("%Y-%m-%d %H:%M:%SZ")
    );
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|error| LaunchError::Other(error.to_string()))?;
    if answer.trim() == "yes" { Ok(()) } else { Err(LaunchError::Other("nothing was changed".to_owned())) }
}

/// An epoch after every one that either database has seen.
async fn new_epoch(stack: &Stack) -> String {
    let mut last = String::new();
    for (url, sql) in [
        (stack.settings.write_url(), "SELECT coalesce(max(epoch), '') FROM log_epochs"),
        (stack.settings.read_url(), "SELECT coalesce(max(greatest(epoch, beginning)), '') FROM log_epoch"),
    ] {
        // A database that is gone or has no such table has seen none.
        last = last.max(recover::text(&url, sql).await.unwrap_or_default());
    }
    topics::epoch_after(&last, Utc::now())
}

/// A read database of another time may not know of documents that the index holds: the index is built anew from
/// the documents.
fn forget_index(stack: &Stack) -> Result<(), LaunchError> {
    let folder = stack.index_dir();
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(LaunchError::folder(&folder)(error)),
        _ => Ok(()),
    }
}

/// A backup as a folder.
#[derive(Debug)]
enum Unpacked {
    Folder(PathBuf),
    Archive(tempfile::TempDir),
}

impl Unpacked {
    fn open(from: &Path) -> Result<Self, LaunchError> {
        if !is_archive(from) {
            return Ok(Self::Folder(from.to_owned()));
        }
        let parent = from.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let folder = tempfile::Builder::new()
            .prefix(".souk-restore-")
            .tempdir_in(parent)
            .map_err(LaunchError::folder(parent))?;
        tar(Command::new("tar").arg("-C").arg(folder.path()).arg("-xf").arg(from))?;
        Ok(Self::Archive(folder))
    }

    fn folder(&self) -> &Path {
        match self {
            Self::Folder(folder) => folder,
            Self::Archive(folder) => folder.path(),
        }
    }
}
