//! Index generations: folders `<index-dir>/<generation>/` with a manifest beside tantivy's files.
//!
//! A generation never changes its shape; a change of schema, analyzer or model is a new one.

use crate::{IndexError, analyzer, directory::RelaxedDirectory, embed, schema};
use schemas::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use tantivy::Index;

/// Raised with every change of [`schema`].
pub const SCHEMA_VERSION: u32 = 3;

const MANIFEST: &str = "manifest.json";
/// The machine start during which the files were last written; see [`check_after_crash`].
const BOOT: &str = "boot_id";

/// What a generation was built with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its name, also the folder's.
    pub generation: String,
    /// [`SCHEMA_VERSION`] it was built with.
    pub schema_version: u32,
    /// [`analyzer::ANALYZER_VERSION`] it was built with.
    pub analyzer_version: u32,
    /// The embedding model its vectors come from.
    pub model_id: String,
    /// How hits are ranked.
    pub ranking: Ranking,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Ranking settings; docs/search.md says how they were found and what each is worth. A setting that a
/// manifest doesn't name has its default.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ranking {
    /// BM25's saturation: how soon another occurrence of a word counts for little (Robertson and Zaragoza:
    /// "The Probabilistic Relevance Framework", 2009).
    pub k1: f32,
    /// BM25's length normalisation, 0 (none) to 1.
    pub b: f32,
    /// What it is worth when the title holds all words of the query; of some, their share by rarity.
    pub title_boost: f32,
    /// What it is worth when the title holds the query's words one after another; the share of the pairs
    /// that do.
    pub phrase_boost: f32,
    /// Weight of an attribute's value beside a word of the text.
    pub attribute_weight: f32,
    /// Weight of a synonym beside the word that was typed.
    pub synonym_weight: f32,
    /// Weight of how well a product's kind fits the query's words; see [`crate::lexical`].
    pub kind_boost: f32,
    /// How many of the best hits are put in order again by kind and business signals.
    pub window: usize,
    /// Hits below which the words of a query are relaxed: fewer of them have to match.
    pub enough: usize,
    /// What stock is worth, against the best hit's score of 1.
    pub available_boost: f32,
    /// What popularity is worth, against the best hit's score of 1.
    pub popularity_boost: f32,
    /// What being new is worth, against the best hit's score of 1; half of it after [`Self::novelty_days`].
    pub novelty_boost: f32,
    /// Days in which the worth of novelty halves.
    pub novelty_days: f32,
    /// Most products of one family among ten in a row, in the window; 0 for no limit. See [`crate::families`].
    pub family_limit: usize,
    /// Share of the lexical score in hybrid mode, 0 to 1; the rest is the vectors'.
    pub lexical_share: f32,
    /// The same for a query that is nothing but brands and codes, which must not drift.
    pub exact_share: f32,
    /// Cosine similarity of texts that have nothing to do with one another, with the generation's model.
    pub unrelated: f32,
    /// How many of the best fused hits say, by their vectors, what else to look for (Rocchio's feedback, without
    /// anybody's judgment).
    pub feedback: usize,
    /// Weight of their mean vector beside the query's; 0 for no feedback.
    pub feedback_weight: f32,
    /// How many candidates each side of hybrid mode gives.
    pub candidates: usize,
}

impl Default for Ranking {
    fn default() -> Self {
        Self {
            k1: 1.2,
            b: 0.9,
            title_boost: 1.0,
            phrase_boost: 0.5,
            attribute_weight: 0.5,
            synonym_weight: 0.7,
            kind_boost: 0.2,
            window: 30,
            enough: 10,
            available_boost: 0.0,
            popularity_boost: 0.1,
            novelty_boost: 0.0,
            novelty_days: 180.0,
            family_limit: 4,
            lexical_share: 0.6,
            exact_share: 1.0,
            unrelated: 0.1,
            feedback: 10,
            feedback_weight: 0.0,
            candidates: 300,
        }
    }
}

impl Manifest {
    /// A manifest of the current schema, analyzer, model and ranking.
    #[must_use]
    pub fn current(generation: &str, created_at: Timestamp) -> Self {
        Self {
            generation: generation.to_owned(),
            schema_version: SCHEMA_VERSION,
            analyzer_version: analyzer::ANALYZER_VERSION,
            model_id: embed::MODEL_ID.to_owned(),
            ranking: Ranking::default(),
            created_at,
        }
    }
}

/// The folder of a generation.
#[must_use]
pub fn folder(root: &Path, generation: &str) -> PathBuf {
    root.join(generation)
}

/// Creates the generation's folder and an empty index, unless it is there.
///
/// # Errors
/// If the file system or tantivy fails.
pub fn create(root: &Path, manifest: &Manifest) -> Result<(), IndexError> {
    let folder = folder(root, &manifest.generation);
    if folder.join(MANIFEST).exists() {
        return Ok(());
    }
    std::fs::create_dir_all(&folder)?;
    if !folder.join("meta.json").exists() {
        let directory = RelaxedDirectory::open(&folder).map_err(tantivy::TantivyError::from)?;
        Index::create(directory, schema::schema().0, tantivy::IndexSettings::default())?;
    }
    // The manifest comes last: a folder without one is not a generation yet.
    let text = serde_json::to_vec_pretty(manifest).map_err(std::io::Error::from)?;
    std::fs::write(folder.join("manifest.draft"), text)?;
    std::fs::rename(folder.join("manifest.draft"), folder.join(MANIFEST))?;
    Ok(())
}

/// Reads the manifest.
///
/// # Errors
/// [`IndexError::Missing`] if there is no such generation, [`IndexError::Damaged`] if it can't be read.
pub fn manifest(root: &Path, generation: &str) -> Result<Manifest, IndexError> {
    let text = std::fs::read(folder(root, generation).join(MANIFEST)).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => IndexError::Missing(generation.to_owned()),
        _ => IndexError::Io(error),
    })?;
    serde_json::from_slice(&text).map_err(|error| damaged(generation, &error))
}

/// Opens the index of a generation of the current shape.
///
/// # Errors
/// [`IndexError::Missing`] or [`IndexError::Damaged`].
pub fn open(root: &Path, generation: &str) -> Result<(Index, Manifest), IndexError> {
    let manifest = manifest(root, generation)?;
    if (manifest.schema_version, manifest.analyzer_version) != (SCHEMA_VERSION, analyzer::ANALYZER_VERSION) {
        return Err(damaged(generation, &"it was built with another schema or analyzer than this program's"));
    }
    let directory = RelaxedDirectory::open(&folder(root, generation)).map_err(|error| damaged(generation, &error))?;
    let index = Index::open(directory).map_err(|error| damaged(generation, &error))?;
    analyzer::register(index.tokenizers());
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
        let wrong = index.validate_checksum().map_err(|error| damaged(generation, &error))?;
        if !wrong.is_empty() {
            return Err(damaged(generation, &format!("{} files have wrong checksums", wrong.len())));
        }
    }
    std::fs::write(mark, boot)?;
    Ok(())
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
