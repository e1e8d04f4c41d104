//! Text to vectors with ONNX Runtime: sentence-transformers/all-MiniLM-L6-v2 as shipped, or another model that a
//! bundle names and the configuration knows.

use crate::{
    bundle::{MODEL_ID, Model, Pooling},
    text,
};
use fastembed::{InitOptionsUserDefined, TextEmbedding, TokenizerFiles, UserDefinedEmbeddingModel};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    str::FromStr,
    sync::OnceLock,
};

mod input;

pub use input::{embedding_hash, embedding_text};

/// Texts in one run: as fast as any number, and larger ones take gigabytes.
pub const BATCH: usize = 16;

/// Another model, as it is configured: its name and its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFolder {
    /// The name bundles call it by.
    pub id: String,
    /// Folder with model.onnx, tokenizer.json, config.json, tokenizer_config.json, special_tokens_map.json.
    pub folder: PathBuf,
}

impl FromStr for ModelFolder {
    type Err = String;

    fn from_str(written: &str) -> Result<Self, String> {
        match written.split_once('=') {
            Some((id, folder)) if !id.is_empty() && !folder.is_empty() => {
                Ok(Self { id: id.to_owned(), folder: PathBuf::from(folder) })
            }
            _ => Err("a model's name and its folder are expected: `bge-small=/models/bge-small`".to_owned()),
        }
    }
}

/// The models a process can load.
#[derive(Debug, Clone)]
pub struct Models {
    onnxruntime: PathBuf,
    folders: BTreeMap<String, PathBuf>,
}

/// The model can't be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// A file is missing or can't be read.
    #[error("the embedding model needs {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A bundle names a model that is not configured here.
    #[error("there is no model `{id}` here; known: {known}. Name its folder with --model {id}=FOLDER")]
    Unknown {
        /// The model asked for.
        id: String,
        /// Those there are.
        known: String,
    },
    /// The file is not the one the bundle means.
    #[error("{path} has the SHA-256 {found}, and the bundle means {wanted}")]
    Other {
        /// Which file.
        path: PathBuf,
        /// Its hash.
        found: String,
        /// The bundle's.
        wanted: String,
    },
    /// The runtime refuses.
    #[error("the embedding model failed: {0}")]
    Runtime(String),
}

impl Models {
    /// The shipped model's folder and others by their names; none if the runtime or the shipped model is missing.
    #[must_use]
    pub fn configured(shipped: Option<&Path>, onnxruntime: Option<&Path>, others: &[ModelFolder]) -> Option<Self> {
        let shipped = (MODEL_ID.to_owned(), shipped?.to_owned());
        let others = others.iter().map(|other| (other.id.clone(), other.folder.clone()));
        Some(Self { onnxruntime: onnxruntime?.to_owned(), folders: std::iter::once(shipped).chain(others).collect() })
    }

    /// Loads a model; takes about a second and 100 MB.
    ///
    /// # Errors
    /// [`EmbedError::Unknown`] for a name that is not configured, [`EmbedError::File`] with the file that is missing,
    /// [`EmbedError::Other`] if it is not the file the bundle means.
    pub fn load(&self, model: &Model, threads: usize) -> Result<Embedder, EmbedError> {
        let folder = self.folders.get(&model.id).ok_or_else(|| EmbedError::Unknown {
            id: model.id.clone(),
            known: self.folders.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
        })?;
        Embedder::load(&self.onnxruntime, folder, model, threads)
    }
}

/// A loaded model. One text at a time per instance: keep one for each thread that embeds.
pub struct Embedder {
    engine: TextEmbedding,
    model: Model,
}

impl std::fmt::Debug for Embedder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.model.id)
    }
}

impl Embedder {
    fn load(onnxruntime: &Path, folder: &Path, model: &Model, threads: usize) -> Result<Self, EmbedError> {
        // A missing library would panic inside the runtime's loader.
        std::fs::File::open(onnxruntime).map_err(|source| EmbedError::File { path: onnxruntime.to_owned(), source })?;
        ort_path(onnxruntime)?;
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).map_err(|source| EmbedError::File { path, source })
        };
        let tokenizer = TokenizerFiles {
            tokenizer_file: read("tokenizer.json")?,
            config_file: read("config.json")?,
            special_tokens_map_file: read("special_tokens_map.json")?,
            tokenizer_config_file: read("tokenizer_config.json")?,
        };
        let weights = read("model.onnx")?;
        if !model.sha256.is_empty() {
            let found = text::sha256(&weights);
            if found != model.sha256 {
                return Err(EmbedError::Other { path: folder.join("model.onnx"), found, wanted: model.sha256.clone() });
            }
        }
        let pooling = match model.pooling {
            Pooling::Mean => fastembed::Pooling::Mean,
            Pooling::Cls => fastembed::Pooling::Cls,
        };
        let files = UserDefinedEmbeddingModel::new(weights, tokenizer).with_pooling(pooling);
        let options = InitOptionsUserDefined::new().with_max_length(model.tokens).with_intra_threads(threads);
        let engine = TextEmbedding::try_new_from_user_defined(files, options)
            .map_err(|error| EmbedError::Runtime(error.to_string()))?;
        Ok(Self { engine, model: model.clone() })
    }

    /// Vectors of length 1, one for each text, in order.
    ///
    /// # Errors
    /// [`EmbedError::Runtime`] if the model refuses or answers in another shape.
    pub fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        // Each text of a run is as long as its longest: texts of like length belong together.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|index| texts[*index].len());
        let sorted: Vec<&str> = order.iter().map(|index| texts[*index].as_str()).collect();
        let found = self.engine.embed(&sorted, Some(BATCH)).map_err(|error| EmbedError::Runtime(error.to_string()))?;
        let Model { id, dimensions, .. } = &self.model;
        if found.len() != texts.len() {
            return Err(EmbedError::Runtime(format!("{id} gave {} vectors for {} texts", found.len(), texts.len())));
        }
        if let Some(other) = found.iter().find(|vector| vector.len() != *dimensions) {
            return Err(EmbedError::Runtime(format!(
                "{id} gives {} numbers for a text, and its bundle says {dimensions}",
                other.len()
            )));
        }
        let mut vectors = vec![Vec::new(); texts.len()];
        for (index, vector) in order.into_iter().zip(found) {
            vectors[index] = vector;
        }
        Ok(vectors)
    }
}

/// Tells the runtime's loader which library to use; the first one stays for the process.
fn ort_path(library: &Path) -> Result<(), EmbedError> {
    static LOADED: OnceLock<Result<(), String>> = OnceLock::new();
    LOADED
        .get_or_init(|| ort::init_from(library).map(|_| ()).map_err(|error| error.to_string()))
        .clone()
        .map_err(EmbedError::Runtime)
}
