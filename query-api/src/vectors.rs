//! Query texts to vectors, on threads of their own, each text once.

use moka::future::Cache as Moka;
use search::embed::{EmbedError, Embedder, ModelFiles};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

const ENTRIES: u64 = 10_000;
const TIME_TO_LIVE: Duration = Duration::from_secs(3_600);

/// The model, once it is loaded, and the vectors of past queries.
#[derive(Debug, Clone)]
pub struct QueryVectors {
    model: Arc<Mutex<Option<Embedder>>>,
    known: Moka<String, Arc<Vec<f32>>>,
}

impl QueryVectors {
    /// Loads the model in the background, if there is one.
    #[must_use]
    pub fn start(files: Option<ModelFiles>) -> Self {
        let model = Arc::new(Mutex::new(None));
        if let Some(files) = files {
            let slot = model.clone();
            tokio::task::spawn_blocking(move || match Embedder::load(&files, 1) {
                Ok(embedder) => *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(embedder),
                Err(error) => {
                    tracing::error!(%error, "the embedding model can't be loaded; there is no semantic search");
                }
            });
        }
        Self { model, known: Moka::builder().max_capacity(ENTRIES).time_to_live(TIME_TO_LIVE).build() }
    }

    /// The vector of a text; none without a model.
    ///
    /// # Errors
    /// The model's.
    pub async fn of(&self, text: &str) -> Result<Option<Arc<Vec<f32>>>, EmbedError> {
        if let Some(known) = self.known.get(text).await {
            return Ok(Some(known));
        }
        let (model, input) = (self.model.clone(), text.to_owned());
        let run = move || match model.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(embedder) => embedder.embed(&[input]).map(|vectors| vectors.into_iter().next()),
            None => Ok(None),
        };
        let vector =
            tokio::task::spawn_blocking(run).await.map_err(|error| EmbedError::Runtime(error.to_string()))??;
        let Some(vector) = vector.map(Arc::new) else { return Ok(None) };
        self.known.insert(text.to_owned(), vector.clone()).await;
        Ok(Some(vector))
    }
}
