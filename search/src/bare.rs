//! Tantivy alone, with souk's fields and analyzers: what the speed of the index writer is compared with.

use crate::{
    IndexError, analyzer,
    analyzer::Analysis,
    bundle::SearchedFields,
    directory::RelaxedDirectory,
    document::SearchDocument,
    schema,
    writer::record::{key, to_tantivy},
};
use std::path::Path;
use tantivy::{
    Index, IndexSettings, IndexWriter, TantivyDocument,
    indexer::{LogMergePolicy, NoMergePolicy},
};

/// An index that nothing but the engine works on.
pub struct Bare {
    writer: IndexWriter,
    fields: schema::Fields,
}

impl std::fmt::Debug for Bare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bare").finish_non_exhaustive()
    }
}

impl Bare {
    /// Makes an index in an empty folder, with memory for documents before they become a segment, in bytes.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn new(folder: &Path, heap: usize) -> Result<Self, IndexError> {
        let (schema, fields) = schema::schema();
        let directory = RelaxedDirectory::open(folder).map_err(tantivy::TantivyError::from)?;
        let index = Index::create(directory, schema, IndexSettings::default())?;
        analyzer::register(index.tokenizers(), &Analysis::default());
        let writer: IndexWriter = index.writer_with_num_threads(1, heap)?;
        writer.set_merge_policy(Box::new(NoMergePolicy));
        Ok(Self { writer, fields })
    }

    /// The records of documents, as the engine takes them: making them is not the engine's work.
    ///
    /// # Errors
    /// If a card can't be written.
    pub fn records(&self, documents: &[SearchDocument]) -> Result<Vec<TantivyDocument>, IndexError> {
        let record = |document: &SearchDocument| {
            let key = key(document.tenant_id, document.product_id);
            to_tantivy(&self.fields, SearchedFields::default(), &key, document)
        };
        documents.iter().map(record).collect()
    }

    /// Adds records.
    ///
    /// # Errors
    /// The engine's.
    pub fn add(&self, records: Vec<TantivyDocument>) -> Result<(), IndexError> {
        for record in records {
            self.writer.add_document(record)?;
        }
        Ok(())
    }

    /// Commits what was added.
    ///
    /// # Errors
    /// The engine's.
    pub fn commit(&mut self) -> Result<(), IndexError> {
        self.writer.commit()?;
        Ok(())
    }

    /// Merges as the engine does by default, and waits for that.
    ///
    /// # Errors
    /// The engine's.
    pub fn merge(mut self) -> Result<(), IndexError> {
        self.writer.set_merge_policy(Box::<LogMergePolicy>::default());
        self.writer.commit()?;
        Ok(self.writer.wait_merging_threads()?)
    }
}
