//! An engine that can be asked, whichever it is.

use super::{
    meilisearch::Meilisearch,
    postgres::Postgres,
    product::Product,
    queries::{Kind, Query},
    souk::Souk,
    typesense::Typesense,
};
use crate::BenchError;
use std::collections::BTreeMap;

/// Hits on a page.
pub(crate) const PAGE: usize = 20;

/// What an engine answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Answer {
    /// Ids of the page's hits.
    pub(crate) ids: Vec<String>,
    /// How many it has found.
    pub(crate) total: u64,
    /// Facets by name and value.
    pub(crate) facets: BTreeMap<String, BTreeMap<String, u64>>,
}

/// One of the engines.
#[derive(Debug)]
pub(crate) enum Engine {
    Souk(Souk),
    Postgres(Postgres),
    Typesense(Typesense),
    Meilisearch(Meilisearch),
}

impl Engine {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Souk(_) => "souk",
            Self::Postgres(Postgres { trigrams: Some(_), .. }) => "PostgreSQL",
            Self::Postgres(_) => "PostgreSQL, no pg_trgm",
            Self::Typesense(_) => "Typesense",
            Self::Meilisearch(_) => "Meilisearch",
        }
    }

    /// Takes in the products; souk has them.
    pub(crate) async fn load(&mut self, products: &[Product]) -> Result<(), BenchError> {
        match self {
            Self::Souk(_) => Ok(()),
            Self::Postgres(engine) => engine.load(products).await,
            Self::Typesense(engine) => engine.load(products).await,
            Self::Meilisearch(engine) => engine.load(products).await,
        }
    }

    /// The best hits of a query.
    pub(crate) async fn search(&self, query: &Query, kind: Kind) -> Result<Answer, BenchError> {
        match self {
            Self::Souk(engine) => engine.search(query, kind).await,
            Self::Postgres(engine) => engine.search(query, kind).await,
            Self::Typesense(engine) => engine.search(query, kind).await,
            Self::Meilisearch(engine) => engine.search(query, kind).await,
        }
    }

    /// How many products have a brand, counted exactly.
    pub(crate) async fn count(&self, brand: &str) -> Result<u64, BenchError> {
        match self {
            Self::Souk(engine) => engine.count(brand).await,
            Self::Postgres(engine) => engine.count(brand).await,
            Self::Typesense(engine) => engine.count(brand).await,
            Self::Meilisearch(engine) => engine.count(brand).await,
        }
    }

    /// Removes what [`Self::load`] has made.
    pub(crate) async fn remove(&self) -> Result<(), BenchError> {
        match self {
            Self::Souk(_) => Ok(()),
            Self::Postgres(engine) => engine.remove().await,
            Self::Typesense(engine) => engine.remove().await,
            Self::Meilisearch(engine) => engine.remove().await,
        }
    }
}
