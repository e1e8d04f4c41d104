//! Where the vectors of a search come from.

use crate::{bundle::Model, embed::EmbedError};
use schemas::ids::{ProductId, TenantId};
use std::{future::Future, sync::Arc};

/// Vectors can't be had.
#[derive(Debug, thiserror::Error)]
pub enum VectorError {
    /// The database that keeps them.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// More queries wait for the model already than may, or this one has waited too long.
    #[error("there are more queries than can be embedded")]
    Busy,
    /// The model that makes them of queries.
    #[error(transparent)]
    Model(#[from] EmbedError),
}

/// The vectors of queries and products. query-api's are a loaded model and pgvector; a test's stand in memory.
pub trait VectorSource: Sync {
    /// The vector of a query's words for a model; none while there is no such model.
    ///
    /// # Errors
    /// The model's.
    fn query_vector(
        &self,
        model: &Model,
        words: &str,
    ) -> impl Future<Output = Result<Option<Arc<Vec<f32>>>, VectorError>> + Send;

    /// The products nearest to a vector, best first, with their cosine similarity: of `among` alone, if given.
    ///
    /// # Errors
    /// The database's.
    fn nearest(
        &self,
        tenant: TenantId,
        model: &Model,
        vector: &[f32],
        limit: usize,
        among: Option<&[ProductId]>,
    ) -> impl Future<Output = Result<Vec<(ProductId, f32)>, VectorError>> + Send;

    /// The vector of a product, if it has one yet.
    ///
    /// # Errors
    /// The database's.
    fn product_vector(
        &self,
        tenant: TenantId,
        model: &Model,
        product: ProductId,
    ) -> impl Future<Output = Result<Option<Vec<f32>>, VectorError>> + Send;

    /// The mean vector of some products; none if they have none.
    ///
    /// # Errors
    /// The database's.
    fn mean_vector(
        &self,
        tenant: TenantId,
        model: &Model,
        products: &[ProductId],
    ) -> impl Future<Output = Result<Option<Vec<f32>>, VectorError>> + Send;
}
