//! Vectors of queries, each text once and on threads of their own, and of products, from pgvector.

mod queue;

use moka::future::Cache as Moka;
use queue::Queue;
use schemas::ids::{ProductId, TenantId};
use search::{
    bundle::Model,
    embed::Models,
    searcher::{VectorError, VectorSource},
    vector,
};
use service::metrics::prometheus_client::metrics::gauge::Gauge;
use sqlx::PgPool;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Bytes of the vectors and texts of past queries.
const KEPT_BYTES: u64 = 32 << 20;
const TIME_TO_LIVE: Duration = Duration::from_secs(3_600);
/// What an entry takes beside its texts and its vector, about.
const ENTRY_BYTES: usize = 200;
/// How long a model that could not be loaded is left alone.
const PAUSE: Duration = Duration::from_secs(5);

/// A model on its way.
#[derive(Debug, Clone)]
enum Slot {
    /// It is being read.
    Loading,
    /// It answers.
    Ready(Queue),
    /// It can't be had, and why.
    Failed(Instant, String),
}

/// The models of the generations that are open, once they are loaded, and the vectors of past queries.
#[derive(Debug, Clone)]
pub struct QueryVectors {
    models: Option<Models>,
    slots: Arc<Mutex<Vec<(Model, Slot)>>>,
    known: Moka<(String, String), Arc<Vec<f32>>>,
    held: Gauge,
}

impl QueryVectors {
    /// With the models that are configured, if any; each is loaded when it is first asked for. The gauge says how many
    /// bytes the vectors of past queries take.
    #[must_use]
    pub fn new(models: Option<Models>, held: Gauge) -> Self {
        let weigh = |(model, query): &(String, String), vector: &Arc<Vec<f32>>| {
            let bytes = model.len() + query.len() + size_of_val(vector.as_slice()) + ENTRY_BYTES;
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let known = Moka::builder().weigher(weigh).max_capacity(KEPT_BYTES).time_to_live(TIME_TO_LIVE);
        Self { models, slots: Arc::default(), known: known.build(), held }
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
            let queue = models.load(&engine, 1).map_err(|error| error.to_string());
            let queue = queue.and_then(|embedder| Queue::start(embedder).map_err(|error| error.to_string()));
            let slot = match queue {
                Ok(queue) => Slot::Ready(queue),
                Err(error) => {
                    tracing::error!(%error, model = %engine.id, "the embedding model can't be loaded; there is no semantic search with it");
                    Slot::Failed(Instant::now(), error)
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
    /// The model's, and [`VectorError::Busy`].
    pub async fn vector(&self, model: &Model, query: &str) -> Result<Option<Arc<Vec<f32>>>, VectorError> {
        let key = (model.key(), query.to_owned());
        if let Some(known) = self.known.get(&key).await {
            return Ok(Some(known));
        }
        let Some(queue) = self.loaded(model) else { return Ok(None) };
        let Some(vector) = queue.embed(format!("{}{query}", model.before_query)).await? else { return Ok(None) };
        let vector = Arc::new(vector);
        self.known.insert(key, Arc::clone(&vector)).await;
        self.held.set(i64::try_from(self.known.weighted_size()).unwrap_or(i64::MAX));
        Ok(Some(vector))
    }

    fn loaded(&self, model: &Model) -> Option<Queue> {
        let engine = model.engine();
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.iter().find(|(known, _)| *known == engine).and_then(|(_, slot)| match slot {
            Slot::Ready(queue) => Some(queue.clone()),
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
        self.queries.vector(model, words).await
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
