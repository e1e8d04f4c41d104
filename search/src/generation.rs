//! Index generations: folders `<index-dir>/<generation>/` with a manifest beside tantivy's files.
//!
//! A generation never changes its shape; a change of schema, analyzer or model is a new one.

use crate::{
    IndexError, analyzer,
    background::Throttle,
    bundle::Bundle,
    directory::{
        RelaxedDirectory,
        compound::{self, CompoundFiles},
    },
    schema,
};
use schemas::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};
use tantivy::{Index, IndexMeta, directory::error::OpenReadError, index::SegmentComponent};

mod format;

pub use format::Format;

const MANIFEST: &str = "manifest.json";
const DAMAGED: &str = "damaged";
/// The machine start during which the files were last written; see [`check_after_crash`].
const BOOT: &str = "boot_id";

/// What a generation was built with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its name, also the folder's.
    pub generation: String,
    /// Everything that decides what a search finds.
    pub bundle: Bundle,
    /// [`Bundle::hash`] of it.
    pub bundle_hash: String,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Manifest {
    /// A manifest of a generation with a bundle.
    ///
    /// # Errors
    /// If the bundle holds a number that can't be written.
    pub fn new(generation: &str, bundle: Bundle, created_at: Timestamp) -> Result<Self, IndexError> {
        Ok(Self { generation: generation.to_owned(), bundle_hash: bundle.hash()?, bundle, created_at })
    }

    /// A manifest with what this program ships.
    #[must_use]
    pub fn current(generation: &str, created_at: Timestamp) -> Self {
        let bundle = Bundle::default();
        // What is shipped can be written; a test says so.
        let bundle_hash = bundle.hash().unwrap_or_default();
        Self { generation: generation.to_owned(), bundle, bundle_hash, created_at }
    }

    /// Whether this program can read and write it.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        let Bundle { schema_version, analyzer, .. } = &self.bundle;
        Format { schema: *schema_version, analyzer: analyzer.version } == Format::current()
    }
}

/// The folder of a generation.
#[must_use]
pub fn folder(root: &Path, generation: &str) -> PathBuf {
    root.join(generation)
}

/// Whether a word can be the name of a generation: lower case letters, digits, `-`, at most 64.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let right = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
    !name.is_empty() && name.len() <= 64 && name.bytes().all(right) && name != crate::nodes::READERS
}

/// Whether the folder is there and whole: its manifest is written last.
#[must_use]
pub fn is_complete(root: &Path, generation: &str) -> bool {
    folder(root, generation).join(MANIFEST).exists()
}

/// Creates the generation's folder and an empty index, unless it is there.
///
/// # Errors
/// If the file system or tantivy fails.
pub fn create(root: &Path, manifest: &Manifest) -> Result<(), IndexError> {
    create_in(root, &manifest.generation, manifest)
}

/// As [`create`], in a folder of another name.
///
/// # Errors
/// If the file system or tantivy fails.
pub fn create_in(root: &Path, name: &str, manifest: &Manifest) -> Result<(), IndexError> {
    let folder = folder(root, name);
    if folder.join(MANIFEST).exists() {
        return Ok(());
    }
    std::fs::create_dir_all(&folder)?;
    if !folder.join("meta.json").exists() {
        let directory = RelaxedDirectory::open(&folder).map_err(tantivy::TantivyError::from)?;
        Index::create(directory, schema::schema().0, tantivy::IndexSettings::default())?;
    }
    write_manifest(&folder, manifest)
}

/// The manifest comes last: a folder without one is not a generation yet.
fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<(), IndexError> {
    let text = serde_json::to_vec_pretty(manifest).map_err(io::Error::from)?;
    std::fs::write(folder.join("manifest.draft"), text)?;
    std::fs::rename(folder.join("manifest.draft"), folder.join(MANIFEST))?;
    Ok(())
}

/// Makes a folder with the files of a generation's newest commit, by hard links where the file system has them:
/// segments never change. Only what queries do may differ between the two.
///
/// # Errors
/// If the file system fails, or the generation's writer is faster at removing files ten times in a row.
pub fn copy(root: &Path, from: &str, to: &str, manifest: &Manifest) -> Result<(), IndexError> {
    const TRIES: usize = 10;
    let mut outcome = Ok(());
    for _ in 0..TRIES {
        remove(root, to)?;
        outcome = copy_commit(root, from, to, manifest);
        match &outcome {
            Err(IndexError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
            _ => return outcome,
        }
    }
    outcome
}

fn copy_commit(root: &Path, from: &str, to: &str, manifest: &Manifest) -> Result<(), IndexError> {
    let (index, _) = open(root, from)?;
    let (source, target) = (folder(root, from), folder(root, to));
    std::fs::create_dir_all(&target)?;
    let commit = std::fs::read(source.join("meta.json"))?;
    let metas: IndexMeta = index.load_metas()?;
    let ids: Vec<String> = metas.segments.iter().map(|segment| segment.id().uuid_string()).collect();
    for entry in std::fs::read_dir(&source)? {
        let file = PathBuf::from(entry?.file_name());
        let name = file.to_string_lossy();
        if !ids.iter().any(|id| name.starts_with(id.as_str())) || name.ends_with(".draft") {
            continue;
        }
        if let Err(error) = std::fs::hard_link(source.join(&file), target.join(&file)) {
            if error.kind() == io::ErrorKind::NotFound {
                return Err(error.into());
            }
            std::fs::copy(source.join(&file), target.join(&file))?;
        }
    }
    // A commit that was replaced meanwhile may have lost files.
    if std::fs::read(source.join("meta.json"))? != commit {
        return Err(io::Error::from(io::ErrorKind::NotFound).into());
    }
    std::fs::write(target.join("meta.json"), commit)?;
    write_manifest(&target, manifest)
}

/// Notes that the files of a generation can't be trusted, for the readers of this node.
///
/// # Errors
/// If the file system fails.
pub fn mark_damaged(root: &Path, generation: &str) -> Result<(), IndexError> {
    Ok(std::fs::write(folder(root, generation).join(DAMAGED), b"")?)
}

/// Whether [`mark_damaged`] was called on it.
#[must_use]
pub fn is_marked_damaged(root: &Path, generation: &str) -> bool {
    folder(root, generation).join(DAMAGED).exists()
}

/// Checks every file of the newest commit against its checksum, while others write and merge.
///
/// # Errors
/// [`IndexError::Damaged`] with the files that are wrong or gone, if they are so twice.
pub fn check(root: &Path, generation: &str) -> Result<(), IndexError> {
    let mut suspects = wrong_files(&open(root, generation)?.0)?;
    if !suspects.is_empty() {
        let again = wrong_files(&open(root, generation)?.0)?;
        suspects.retain(|file| again.contains(file));
    }
    if suspects.is_empty() {
        return Ok(());
    }
    Err(damaged(generation, &format!("wrong checksums: {}", named(&folder(root, generation), &suspects))))
}

/// The files of an index's newest commit that are wrong or gone.
fn wrong_files(index: &Index) -> Result<BTreeSet<PathBuf>, IndexError> {
    let mut wrong = BTreeSet::new();
    for file in files_of(&index.load_metas()?) {
        match index.directory().validate_checksum(&file) {
            Ok(true) => {}
            // Neither cut short nor gone: that it can't be read says nothing about what it holds.
            Err(OpenReadError::IoError { io_error, .. })
                if !matches!(io_error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) =>
            {
                return Err(io::Error::new(io_error.kind(), format!("{}: {io_error}", file.display())).into());
            }
            Ok(false) | Err(_) => {
                wrong.insert(file);
            }
        }
    }
    if !wrong.is_empty() {
        // A busy writer takes some files away while others are read; those belong to no commit any more.
        let newest = files_of(&index.load_metas()?);
        wrong.retain(|file| newest.contains(file));
    }
    Ok(wrong)
}

/// What the segments of a commit have to have; the deletions of those that have some, too.
fn files_of(commit: &IndexMeta) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for segment in &commit.segments {
        let of_kind = |kind: &str| segment.relative_path(SegmentComponent::Custom(kind.to_owned()));
        files.extend(compound::KINDS.iter().map(|kind| of_kind(kind)));
        files.extend(segment.has_deletes().then(|| segment.relative_path(SegmentComponent::Delete)));
    }
    files
}

/// Wrong files by the names that the folder has for them: what should be in a compound file, by the compound file's.
fn named(folder: &Path, wrong: &BTreeSet<PathBuf>) -> String {
    let name = |file: &PathBuf| match compound::parts(file) {
        Some((segment, _)) if !folder.join(file).exists() => {
            let compound = compound::path(folder, segment);
            // A compound file that can be read and doesn't have it never had: its table names all it has.
            let is_missing = compound.exists() && matches!(CompoundFiles::default().load(folder, file), Ok(None));
            if is_missing { file.as_path() } else { Path::new(compound.file_name().unwrap_or_default()) }
                .display()
                .to_string()
        }
        _ => file.display().to_string(),
    };
    wrong.iter().map(name).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
}

/// Reads the manifest.
///
/// # Errors
/// [`IndexError::Missing`] if there is no such generation, [`IndexError::Damaged`] if it can't be read.
pub fn manifest(root: &Path, generation: &str) -> Result<Manifest, IndexError> {
    let text = std::fs::read(folder(root, generation).join(MANIFEST)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => IndexError::Missing(generation.to_owned()),
        _ => IndexError::Io(error),
    })?;
    let written: serde_json::Value = serde_json::from_slice(&text).map_err(|error| damaged(generation, &error))?;
    // Manifests of the first release name a schema and no bundle.
    if written.get("bundle").is_none() && written.get("schema_version").is_some() {
        return Err(IndexError::Outdated(generation.to_owned()));
    }
    serde_json::from_value(written).map_err(|error| damaged(generation, &error))
}

/// Opens the index of a generation of the current shape.
///
/// # Errors
/// [`IndexError::Missing`] or [`IndexError::Damaged`].
pub fn open(root: &Path, generation: &str) -> Result<(Index, Manifest), IndexError> {
    open_throttled(root, generation, &Throttle::default())
}

/// As [`open`], to write throttled.
///
/// # Errors
/// As [`open`].
pub fn open_throttled(root: &Path, generation: &str, throttle: &Throttle) -> Result<(Index, Manifest), IndexError> {
    let manifest = manifest(root, generation)?;
    if !manifest.is_readable() {
        return Err(IndexError::Outdated(generation.to_owned()));
    }
    let directory = RelaxedDirectory::open(&folder(root, generation)).map_err(|error| damaged(generation, &error))?;
    let index = Index::open(directory.throttled(throttle)).map_err(|error| damaged(generation, &error))?;
    analyzer::register(index.tokenizers(), &manifest.bundle.analyzer);
    analyzer::throttle_documents(index.tokenizers(), throttle);
    Ok((index, manifest))
}

/// Checks every file if the machine was started anew since the last write, since none was synced.
///
/// # Errors
/// [`IndexError::Damaged`] with the files whose checksums are wrong.
pub fn check_after_crash(root: &Path, generation: &str, index: &Index) -> Result<(), IndexError> {
    let mark = folder(root, generation).join(BOOT);
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    if std::fs::read_to_string(&mark).is_ok_and(|last| last != boot) {
        tracing::info!(index.generation = generation, "the machine was restarted: checking the index files");
        let wrong = wrong_files(index).map_err(|error| damaged(generation, &error))?;
        if !wrong.is_empty() {
            return Err(damaged(generation, &format!("wrong checksums: {}", named(&folder(root, generation), &wrong))));
        }
    }
    std::fs::write(mark, boot)?;
    Ok(())
}

/// Removes a generation's folder; one that is not there is none to remove.
///
/// # Errors
/// If the file system fails.
pub fn remove(root: &Path, generation: &str) -> Result<(), IndexError> {
    match std::fs::remove_dir_all(folder(root, generation)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Moves a damaged generation out of the way and returns where it is now.
///
/// # Errors
/// If the file system fails.
pub fn quarantine(root: &Path, generation: &str, at: Timestamp) -> Result<PathBuf, IndexError> {
    let target = root.join(format!("{generation}.damaged-{}", at.timestamp()));
    std::fs::rename(folder(root, generation), &target)?;
    Ok(target)
}

fn damaged(generation: &str, reason: &dyn std::fmt::Display) -> IndexError {
    IndexError::Damaged { generation: generation.to_owned(), reason: reason.to_string() }
}
