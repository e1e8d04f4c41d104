//! The segments of an index as of one commit: what searches run over and statistics are collected from.

use crate::{columns::OpenedColumns, schema::Fields};
use std::sync::Arc;
use tantivy::Searcher;

/// The segments of one commit. Cheap to clone.
#[derive(Clone)]
pub struct Segments {
    /// tantivy's searcher.
    pub searcher: Searcher,
    /// The fields to search in.
    pub fields: Fields,
    /// What was done to the index up to here, in operations of the engine: two to six for each document.
    pub operations: u64,
    /// The columns that searches have opened.
    pub(crate) columns: Arc<OpenedColumns>,
}

impl std::fmt::Debug for Segments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segments").field("operations", &self.operations).finish_non_exhaustive()
    }
}
