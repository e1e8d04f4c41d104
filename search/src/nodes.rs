//! Who is at an index folder: the node it belongs to, and what the query-api processes that share it with its writer
//! say of themselves. They can't write to any database, and who watches a switch must know whether they have followed.

use schemas::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

mod folder;

pub use folder::{FolderLock, IndexFolder, host_name};

/// The folder of the reports, beside those of the generations.
pub const READERS: &str = "readers";

/// What a generation's searches were like over the last seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = SearchFigures)]
pub struct Figures {
    /// Searches answered.
    pub searches: u64,
    /// Of them, by an error of ours.
    pub failed: u64,
    /// Of them, without a hit.
    pub empty: u64,
    /// Half of them took at most this many milliseconds.
    pub p50_ms: f64,
    /// Of a hundred of them, 99 took at most this many milliseconds.
    pub p99_ms: f64,
}

/// A process's report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ReaderReport {
    /// Who reports: drawn at the start of the process, since processes in containers share addresses and numbers.
    pub reader: String,
    /// Where it answers.
    pub address: String,
    /// The switch it has followed.
    pub epoch: i64,
    /// The generation it answers from.
    pub generation: String,
    /// Every generation it has open.
    pub opened: Vec<String>,
    /// By generation.
    pub figures: BTreeMap<String, Figures>,
    /// Why it has not followed the newest switch yet; empty if it has.
    pub waiting: String,
    /// When.
    pub at: Timestamp,
}

/// Puts a report in the place of the one before.
///
/// # Errors
/// If the file system fails.
pub fn report(index_dir: &Path, report: &ReaderReport) -> io::Result<()> {
    let folder = index_dir.join(READERS);
    fs::create_dir_all(&folder)?;
    let draft = folder.join(format!(".{}.draft", report.reader));
    fs::write(&draft, serde_json::to_vec(report)?)?;
    fs::rename(draft, folder.join(format!("{}.json", report.reader)))
}

/// The reports in an index folder, with their files. One that is just being replaced is left out; it is read the next
/// time.
///
/// # Errors
/// If the folder can't be listed; where nobody has reported yet, it is not there.
pub fn reports(index_dir: &Path) -> io::Result<Vec<(PathBuf, ReaderReport)>> {
    let read = |entry: fs::DirEntry| {
        let is_draft = entry.file_name().to_string_lossy().starts_with('.');
        let text = (!is_draft).then(|| fs::read(entry.path()).ok()).flatten()?;
        Some((entry.path(), serde_json::from_slice(&text).ok()?))
    };
    Ok(fs::read_dir(index_dir.join(READERS))?.filter_map(Result::ok).filter_map(read).collect())
}
