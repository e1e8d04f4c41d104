//! `souk backup`: what can't be rebuilt, in one folder or file. The write database is dumped as of one moment while
//! writes go on; Kafka, views, index and vectors follow from it (docs/decisions/0014), so the read database is
//! added only when asked for, to be back sooner.

use crate::{LaunchError, settings::Settings, stack::Stack};
use schemas::Utc;
use serde::Serialize;
use sqlx::{Connection, PgConnection};
use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

mod dump;
mod manifest;
mod step;

pub use dump::{Tool, count_rows, run_to_end, safe_url};
pub use manifest::{Database, MANIFEST, Manifest, Which, sha256};
pub use step::{Step, bytes};

/// Back up the write database, from which everything else can be rebuilt; writes continue
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  souk backup --to /backups/2026-11-21\n  souk backup --to /backups/souk.tar --with-read\n  souk backup --to /backups/souk.tar --json | jq .manifest"
)]
pub struct Args {
    /// A new folder, or a new file if the name ends in .tar
    #[arg(long)]
    pub to: PathBuf,
    /// Add the read database, so that a restore need not rebuild the views
    #[arg(long)]
    pub with_read: bool,
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
    /// The folder or file.
    pub to: PathBuf,
    /// How long it took.
    pub seconds: f64,
    /// What is in it.
    pub manifest: Manifest,
    /// What is not in it, though it can't be rebuilt.
    pub archive: Archive,
}

/// Months of outboxes that are in files and no longer in the database: a folder that has to be backed up as well.
#[derive(Debug, Serialize)]
pub struct Archive {
    /// Where a stack on one machine keeps them.
    pub folder: PathBuf,
    /// Files that a recovery needs.
    pub files: i64,
    /// Rows in them.
    pub rows: i64,
}

impl Archive {
    async fn of(settings: &Settings) -> Result<Self, LaunchError> {
        let url = settings.write_url();
        let failed = |error: sqlx::Error| LaunchError::Database { url: safe_url(&url), reason: error.to_string() };
        let mut connection = PgConnection::connect(&url).await.map_err(failed)?;
        let (files, rows) = sqlx::query_as(
            "SELECT count(*), coalesce(sum(rows), 0)::bigint FROM installation.archives WHERE restored_at IS NULL",
        )
        .fetch_one(&mut connection)
        .await
        .map_err(failed)?;
        Ok(Self { folder: settings.archive_dir(), files, rows })
    }
}

/// Backs up; what exists at the target is never touched, and nothing is there before it is whole.
///
/// # Errors
/// If the target exists or can't be written, or a database can't be dumped.
pub async fn run(args: &Args, programs: PathBuf) -> Result<Report, LaunchError> {
    let began = Instant::now();
    let target = std::path::absolute(&args.to).map_err(LaunchError::folder(&args.to))?;
    if target.exists() {
        return Err(LaunchError::Other(format!("{} exists; a backup overwrites nothing", target.display())));
    }
    let parent = target.parent().unwrap_or_else(|| Path::new("/")).to_owned();
    std::fs::create_dir_all(&parent).map_err(LaunchError::folder(&parent))?;
    let stack = Stack::new(args.settings.clone(), programs)?;
    let tool = Tool::fetch(&stack.artifacts)?;
    let aside =
        tempfile::Builder::new().prefix(".souk-backup-").tempdir_in(&parent).map_err(LaunchError::folder(&parent))?;
    let (write_url, read_url) = (stack.settings.write_url(), stack.settings.read_url());
    // The read side first: what it has not seen yet comes again from the write side.
    let read = if args.with_read { Some(dump::Snapshot::take(&read_url).await?) } else { None };
    let write = dump::Snapshot::take(&write_url).await?;
    let mut databases = BTreeMap::new();
    databases.insert(Which::Write, write.dump(&tool, Which::Write, aside.path()).await?);
    if let Some(read) = read {
        databases.insert(Which::Read, read.dump(&tool, Which::Read, aside.path()).await?);
    }
    let manifest = Manifest::new(Utc::now(), databases);
    manifest.save(aside.path())?;
    if is_archive(&target) {
        pack(aside.path(), &target)?;
    } else {
        publish(aside.path(), &target)?;
    }
    let archive = Archive::of(&args.settings).await?;
    Ok(Report { to: target, seconds: began.elapsed().as_secs_f64(), manifest, archive })
}

/// Prints a report for people.
pub fn print(report: &Report) {
    println!("{} holds, as of {}:", report.to.display(), report.manifest.taken_at.format("%Y-%m-%d %H:%M:%SZ"));
    for (which, database) in &report.manifest.databases {
        let rows: i64 = database.tables.values().sum();
        println!("  {which} database: {rows} rows in {} tables, {}", database.tables.len(), bytes(database.bytes));
    }
    if report.archive.files > 0 {
        let Archive { folder, files, rows } = &report.archive;
        println!("  not in it: {rows} archived events in {files} files; copy {} as well", folder.display());
    }
    println!("It took {:.1} s. Restore it with: souk restore --from {}", report.seconds, report.to.display());
}

/// Whether a backup is one file.
#[must_use]
pub fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tar")
}

/// Moves a whole folder to its place, durably.
fn publish(folder: &Path, target: &Path) -> Result<(), LaunchError> {
    std::fs::rename(folder, target).map_err(LaunchError::folder(target))?;
    sync(target.parent().unwrap_or(target))
}

fn pack(folder: &Path, target: &Path) -> Result<(), LaunchError> {
    let draft = folder.with_extension("tar");
    tar(Command::new("tar").arg("-C").arg(folder).arg("-cf").arg(&draft).arg("."))?;
    sync(&draft)?;
    std::fs::rename(&draft, target).map_err(LaunchError::folder(target))?;
    sync(target.parent().unwrap_or(target))
}

/// Runs tar.
///
/// # Errors
/// If it is not installed or fails.
pub fn tar(command: &mut Command) -> Result<(), LaunchError> {
    let output = command
        .output()
        .map_err(|_| LaunchError::Tool { program: "tar".to_owned(), install: "apt-get install tar".to_owned() })?;
    if output.status.success() {
        return Ok(());
    }
    Err(LaunchError::Other(format!("tar failed: {}", String::from_utf8_lossy(&output.stderr).trim())))
}

fn sync(path: &Path) -> Result<(), LaunchError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(LaunchError::folder(path))
}
