//! Tantivy alone, with souk's fields and analyzers: what the speed of the index writer is compared with.

use crate::{
    IndexError, analyzer,
    bundle::{Analysis, SearchedFields},
    directory::RelaxedDirectory,
    document::SearchDocument,
    schema,
    writer::record::{key, to_tantivy},
};
use std::path::Path;
use tantivy::{Index, IndexSettings, IndexWriter, TantivyDocument, indexer::NoMergePolicy};

/// Memory for documents before they become a segment, in bytes; the index writer's.
const HEAP_BYTES: usize = 64 * 1024 * 1024;

/// Records that are ready for an empty index.
pub struct Bare {
    writer: IndexWriter,
    records: Vec<TantivyDocument>,
}

impl std::fmt::Debug for Bare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bare").field("records", &self.records.len()).finish_non_exhaustive()
    }
}

impl Bare {
    /// Makes an index in an empty folder, and the records of some documents.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn new(folder: &Path, documents: &[SearchDocument]) -> Result<Self, IndexError> {
        let (schema, fields) = schema::schema();
        let directory = RelaxedDirectory::open(folder).map_err(tantivy::TantivyError::from)?;
        let index = Index::create(directory, schema, IndexSettings::default())?;
        analyzer::register(index.tokenizers(), &Analysis::default());
        let writer: IndexWriter = index.writer_with_num_threads(1, HEAP_BYTES)?;
        writer.set_merge_policy(Box::new(NoMergePolicy));
        let record = |document: &SearchDocument| {
            let key = key(document.tenant_id, document.product_id);
            to_tantivy(&fields, SearchedFields::default(), &key, document)
        };
        Ok(Self { writer, records: documents.iter().map(record).collect::<Result<_, _>>()? })
    }

    /// Adds the records and commits once: what is to be timed.
    ///
    /// # Errors
    /// The engine's.
    pub fn index(mut self) -> Result<(), IndexError> {
        for record in self.records {
            self.writer.add_document(record)?;
        }
        self.writer.commit()?;
        Ok(())
    }
}
