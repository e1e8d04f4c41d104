//! search: the search document, the tantivy index in generations, vectors, fusion and ranking.

pub mod document;
