//! Vectors of queries, each text once and on threads of their own, and of products, from pgvector.

use moka::future::Cache as Moka;
use schemas::ids::{ProductId, TenantId};
use search::{
    bundle::Model,
    embed::{EmbedError, Embedder, Models},
    searcher::{VectorError, VectorSource},
    vector,
};
use sqlx::PgPool;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

const ENTRIES: u64 = 10_000;
const TIME_TO_LIVE: Duration = Duration::from_secs(3_600);
/// How long a model that could not be loaded is left alone.
const PAUSE: Duration = Duration::from_secs(5);

/// A model on its way.
#[derive(Debug, Clone)]
enum Slot {
    /// It is being read.
    Loading,
    /// It answers.
    Ready(Arc<Mutex<Embedder>>),
    /// It can't be had, and why.
    Failed(Instant, String),
}

/// The models of the generations that are open, once they are loaded, and the vectors of past queries.
#[derive(Debug, Clone)]
pub struct QueryVectors {
    models: Option<Models>,
    slots: Arc<Mutex<Vec<(Model, Slot)>>>,
    known: Moka<(String, String), Arc<Vec<f32>>>,
}

impl QueryVectors {
    /// With the models that are configured, if any; each is loaded when it is first asked for.
    #[must_use]
    pub fn new(models: Option<Models>) -> Self {
        Self {
            models,
            slots: Arc::default(),
            known: Moka::builder().max_capacity(ENTRIES).time_to_live(TIME_TO_LIVE).build(),
        }
    }

    /// Has a model loaded in the background, unless it is. Whether queries can be embedded with it; where no model
    /// is configured at all nobody waits for one.
    ///
    /// # Errors
    /// Why it can't be loaded.
    pub fn prepare(&self, model: &Model) -> Result<bool, String> {
        let Some(models) = &self.models else { return Ok(true) };
        let engine = model.engine();
        {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            let place = slots.iter().position(|(known, _)| *known == engine);
            match place.map(|place| &slots[place].1) {
                Some(Slot::Ready(_)) => return Ok(true),
                Some(Slot::Loading) => return Ok(false),
                Some(Slot::Failed(at, reason)) if at.elapsed() < PAUSE => return Err(reason.clone()),
                Some(Slot::Failed(..)) | None => {}
            }
            slots.retain(|(known, _)| *known != engine);
            slots.push((engine.clone(), Slot::Loading));
        }
        let (models, slots) = (models.clone(), Arc::clone(&self.slots));
        tokio::task::spawn_blocking(move || {
            let slot = match models.load(&engine, 1) {
                Ok(embedder) => Slot::Ready(Arc::new(Mutex::new(embedder))),
                Err(error) => {
                    tracing::error!(%error, model = %engine.id, "the embedding model can't be loaded; there is no semantic search with it");
                    Slot::Failed(Instant::now(), error.to_string())
                }
            };
            let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, known)) = slots.iter_mut().find(|(known, _)| *known == engine) {
                *known = slot;
            }
        });
        Ok(false)
    }

    /// Forgets the models that none of these is read with.
    pub fn retain(&self, models: &[Model]) {
        let engines: Vec<Model> = models.iter().map(Model::engine).collect();
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).retain(|(known, _)| engines.contains(known));
    }

    /// The vector of a query for a set; none while there is no model.
    ///
    /// # Errors
    /// The model's.
    pub async fn vector(&self, model: &Model, query: &str) -> Result<Option<Arc<Vec<f32>>>, EmbedError> {
        let key = (model.key(), query.to_owned());
        if let Some(known) = self.known.get(&key).await {
            return Ok(Some(known));
        }
        let Some(embedder) = self.loaded(model) else { return Ok(None) };
        let input = format!("{}{query}", model.before_query);
        let run = move || {
            let mut embedder = embedder.lock().unwrap_or_else(PoisonError::into_inner);
            embedder.embed(&[input]).map(|vectors| vectors.into_iter().next())
        };
        let vector =
            tokio::task::spawn_blocking(run).await.map_err(|error| EmbedError::Runtime(error.to_string()))??;
        let Some(vector) = vector.map(Arc::new) else { return Ok(None) };
        self.known.insert(key, vector.clone()).await;
        Ok(Some(vector))
    }

    fn loaded(&self, model: &Model) -> Option<Arc<Mutex<Embedder>>> {
        let engine = model.engine();
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.iter().find(|(known, _)| *known == engine).and_then(|(_, slot)| match slot {
            Slot::Ready(embedder) => Some(Arc::clone(embedder)),
            Slot::Loading | Slot::Failed(..) => None,
        })
    }
}

/// Where searches have their vectors from: queries from the models, products from pgvector.
#[derive(Debug, Clone)]
pub struct Vectors {
    pool: PgPool,
    queries: QueryVectors,
}

impl Vectors {
    /// From the read database and the models.
    #[must_use]
    pub const fn new(pool: PgPool, queries: QueryVectors) -> Self {
        Self { pool, queries }
    }
}

impl VectorSource for Vectors {
    async fn query_vector(&self, model: &Model, words: &str) -> Result<Option<Arc<Vec<f32>>>, VectorError> {
        Ok(self.queries.vector(model, words).await?)
    }

    async fn nearest(
        &self,
        tenant: TenantId,
        model: &Model,
        vector: &[f32],
        limit: usize,
        among: Option<&[ProductId]>,
    ) -> Result<Vec<(ProductId, f32)>, VectorError> {
        Ok(vector::nearest(&self.pool, tenant, model, vector, limit, among).await?)
    }

    async fn product_vector(
        &self,
        tenant: TenantId,
        model: &Model,
        product: ProductId,
    ) -> Result<Option<Vec<f32>>, VectorError> {
        Ok(vector::of_product(&self.pool, tenant, model, product).await?)
    }

    async fn mean_vector(
        &self,
        tenant: TenantId,
        model: &Model,
        products: &[ProductId],
    ) -> Result<Option<Vec<f32>>, VectorError> {
        Ok(vector::mean_of(&self.pool, tenant, model, products).await?)
    }
}
