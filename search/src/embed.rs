//! Text to vectors with sentence-transformers/all-MiniLM-L6-v2 through ONNX Runtime.

use fastembed::{InitOptionsUserDefined, Pooling, TextEmbedding, TokenizerFiles, UserDefinedEmbeddingModel};
use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// The model and the form of its weights, as vectors are keyed by it.
pub const MODEL_ID: &str = "all-MiniLM-L6-v2/int8-weights";
/// Numbers in a vector.
pub const DIMENSIONS: usize = 384;
/// Tokens the model reads of a text; what is longer is cut.
const MAX_TOKENS: usize = 256;
/// Texts in one run: as fast as any number, and larger ones take gigabytes.
pub const BATCH: usize = 16;

/// Where model and runtime lie.
#[derive(Debug, Clone)]
pub struct ModelFiles {
    /// Folder with model.onnx, tokenizer.json, config.json, tokenizer_config.json, special_tokens_map.json.
    pub model_dir: PathBuf,
    /// Path of libonnxruntime.so.
    pub onnxruntime: PathBuf,
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
    /// The runtime refuses.
    #[error("the embedding model failed: {0}")]
    Runtime(String),
}

/// A loaded model. One text at a time per instance: keep one for each thread that embeds.
pub struct Embedder {
    model: TextEmbedding,
}

impl std::fmt::Debug for Embedder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MODEL_ID)
    }
}

impl Embedder {
    /// Loads the model; takes about a second and 100 MB.
    ///
    /// # Errors
    /// [`EmbedError::File`] names the file that is missing.
    pub fn load(files: &ModelFiles, threads: usize) -> Result<Self, EmbedError> {
        // A missing library would panic inside the runtime's loader.
        std::fs::File::open(&files.onnxruntime)
            .map_err(|source| EmbedError::File { path: files.onnxruntime.clone(), source })?;
        ort_path(&files.onnxruntime)?;
        let read = |name: &str| {
            let path = files.model_dir.join(name);
            std::fs::read(&path).map_err(|source| EmbedError::File { path, source })
        };
        let tokenizer = TokenizerFiles {
            tokenizer_file: read("tokenizer.json")?,
            config_file: read("config.json")?,
            special_tokens_map_file: read("special_tokens_map.json")?,
            tokenizer_config_file: read("tokenizer_config.json")?,
        };
        let model = UserDefinedEmbeddingModel::new(read("model.onnx")?, tokenizer).with_pooling(Pooling::Mean);
        let options = InitOptionsUserDefined::new().with_max_length(MAX_TOKENS).with_intra_threads(threads);
        let model = TextEmbedding::try_new_from_user_defined(model, options)
            .map_err(|error| EmbedError::Runtime(error.to_string()))?;
        Ok(Self { model })
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
        let found = self.model.embed(&sorted, Some(BATCH)).map_err(|error| EmbedError::Runtime(error.to_string()))?;
        if found.len() != texts.len() || found.iter().any(|vector| vector.len() != DIMENSIONS) {
            return Err(EmbedError::Runtime(format!("it did not answer with {DIMENSIONS} numbers for each text")));
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
