//! The programs of another release: built from a revision of the repository, or those of a folder.

use crate::BenchError;
use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The packages whose programs a fleet and its operators run; always built together, as `souk` does.
const PACKAGES: [&str; 5] = ["launcher", "write-api", "projector", "query-api", "reindex"];

/// A release.
#[derive(Debug, Clone)]
pub struct Release {
    /// What it is called in the report.
    pub name: String,
    /// The folder of its programs.
    pub programs: PathBuf,
}

impl Release {
    /// The programs of a folder.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self { name: folder.display().to_string(), programs: folder.to_owned() }
    }

    /// Builds a revision with the profile of these programs, beside them: sources and target stay for the next run.
    ///
    /// # Errors
    /// If there is no such revision, or it can't be built.
    pub fn built(revision: &str, beside: &Path) -> Result<Self, BenchError> {
        let home = env::var_os("SOUK_HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
        let commit = asked(
            git(&home).args(["rev-parse", "--verify", "--end-of-options"]).arg(format!("{revision}^{{commit}}")),
        )?;
        let name = commit.get(..10).unwrap_or(&commit).to_owned();
        let profile = beside.file_name().and_then(OsStr::to_str).unwrap_or("debug");
        let folder = std::path::absolute(beside.parent().unwrap_or(beside).join("before").join(&commit))?;
        let (source, target) = (folder.join("source"), folder.join("target"));
        if !source.join("Cargo.toml").is_file() {
            std::fs::create_dir_all(&folder)?;
            asked(git(&home).args(["worktree", "prune"]))?;
            asked(git(&home).args(["worktree", "add", "--detach"]).arg(&source).arg(&commit))?;
        }
        let programs = target.join(profile);
        if !programs.join("souk").is_file() {
            eprintln!("building the release before, {name}, in {}; this takes several minutes", folder.display());
        }
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--locked", "--bins", "--profile", if profile == "debug" { "dev" } else { profile }]);
        cargo.arg("--manifest-path").arg(source.join("Cargo.toml")).arg("--target-dir").arg(&target);
        cargo.args(PACKAGES.iter().flat_map(|package| ["-p", package]));
        if !cargo.status()?.success() {
            return Err(BenchError::Failed(format!("{name} can't be built in {}", source.display())));
        }
        Ok(Self { name, programs })
    }
}

fn git(home: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(home);
    command
}

/// What a command says.
fn asked(command: &mut Command) -> Result<String, BenchError> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(BenchError::Failed(format!("{command:?} failed: {said}")))
}
