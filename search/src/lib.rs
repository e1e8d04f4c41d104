//! search: the search document, the tantivy index in generations, vectors, fusion and ranking.
//!
//! This is the only part of souk that knows tantivy, pgvector's operators and the embedding model.
//! The pipeline inside: [`document`] -> [`writer`] -> a [`generation`] on disk -> [`reader`] -> [`searcher`] -> hits.
//! Whoever searches comes through [`searcher`]: words ([`lexical`]), vectors ([`vector`]) and their fusion ([`fuse`]) are
//! behind it.
//!
//! To add a facet or a filterable field, follow docs/guides/adding-a-facet.md.

pub mod analyzer;
pub mod background;
pub mod bare;
pub mod budget;
pub mod bundle;
pub mod collation;
mod columns;
mod dictionary;
pub mod digest;
pub mod directory;
pub mod document;
pub mod embed;
pub mod facets;
pub mod families;
pub mod fuse;
pub mod generation;
pub mod highlight;
pub mod lexical;
pub mod nodes;
pub mod offsets;
mod plan;
pub mod query;
pub mod ranking;
pub mod reader;
pub mod rehearsal;
pub mod schema;
pub mod searcher;
pub mod segments;
pub mod statistics;
pub mod suggest;
pub mod synonyms;
mod tenant;
pub mod text;
pub mod understand;
pub mod vector;
pub mod writer;

/// The index can't be opened, written or searched.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// There is no generation of that name, or it is not complete yet.
    #[error("the index generation {0} is not there")]
    Missing(String),
    /// It was built with a schema or analyzer that this program doesn't have; a new generation takes its place.
    #[error("the index generation {0} was built with another schema or analyzer than this program's")]
    Outdated(String),
    /// Files of the generation are damaged; it has to be built anew from the document topic.
    #[error("the index generation {generation} is damaged: {reason}")]
    Damaged {
        /// Which one.
        generation: String,
        /// What was found.
        reason: String,
    },
    /// The request names a field that doesn't exist or can't be used so.
    #[error("{0}")]
    Request(String),
    /// The engine failed.
    #[error("the index failed: {0}")]
    Engine(#[from] tantivy::TantivyError),
    /// The file system failed.
    #[error("the index folder failed: {0}")]
    Io(#[from] std::io::Error),
}
