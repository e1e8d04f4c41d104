//! What every route needs.

use crate::{
    cache::Cache, cursor, defined::Defined, freshness::Freshness, index::ActiveIndex, metrics::Metrics,
    operations::Operations, popularity::Popularity, reads::search::SearchPage, tenants::Tenants, vectors::Vectors,
    view::View,
};
use search::searcher::Searcher;
use sqlx::PgPool;

/// What every route needs.
#[derive(Debug, Clone)]
pub struct App {
    /// The read database.
    pub pool: PgPool,
    /// The active index generation.
    pub index: ActiveIndex,
    /// Vectors of queries and products.
    pub vectors: Vectors,
    /// Waiting for tokens.
    pub freshness: Freshness,
    /// Answers of searches, kept for a moment.
    pub cache: Cache<SearchPage>,
    /// Answers from views, kept for a moment.
    pub views: Cache<View>,
    /// States of the index that cursors point to.
    pub cursors: cursor::Kept,
    /// What staff have defined.
    pub defined: Defined,
    /// What shoppers like.
    pub popularity: Popularity,
    /// Slugs to tenants.
    pub tenants: Tenants,
    /// What is counted.
    pub metrics: Metrics,
    /// What staff do, and where it is passed on to.
    pub operations: Operations,
    /// Answers searches, a bounded number at a time.
    pub searcher: Searcher,
}
