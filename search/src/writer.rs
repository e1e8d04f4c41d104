//! Writes documents into a generation. The Kafka offsets stand in the same commit as the documents.

use crate::{
    IndexError,
    background::{self, Throttle},
    bundle::SearchedFields,
    document::SearchDocument,
    generation,
    offsets::{self, Offsets},
    schema::Fields,
};
use std::{collections::HashMap, path::Path};
use tantivy::{
    Index, IndexWriter as TantivyWriter, TantivyDocument, Term,
    index::SegmentId,
    indexer::{LogMergePolicy, NoMergePolicy, UserOperation},
};

pub(crate) mod record;
pub mod variants;

/// Memory for documents between two commits, in bytes.
pub const HEAP_BYTES: usize = 64 * 1024 * 1024;
/// The same while a whole catalog is taken in: fewer segments to merge afterwards.
pub const BUILD_HEAP_BYTES: usize = 256 * 1024 * 1024;

/// Documents that are handed to the engine at once: each handing over wakes a thread.
const HANDED: usize = 256;

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upsert {
    /// It will be searchable after the next commit.
    Applied,
    /// The index knew the same or a newer version.
    Stale,
}

/// The one writer of a generation; holds tantivy's lock on the folder.
pub struct IndexWriter {
    /// None only while it is dropped.
    writer: Option<TantivyWriter>,
    throttle: Throttle,
    fields: Fields,
    searched: SearchedFields,
    versions: HashMap<String, u64>,
    live: u64,
    offsets: Offsets,
    generation: String,
}

impl std::fmt::Debug for IndexWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IndexWriter")
            .field("generation", &self.generation)
            .field("live", &self.live)
            .finish_non_exhaustive()
    }
}

impl IndexWriter {
    /// Opens a generation for writing.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] asks for [`generation::quarantine`] and a rebuild.
    pub fn open(root: &Path, generation_name: &str) -> Result<Self, IndexError> {
        let writer = Self::with_memory(root, generation_name, HEAP_BYTES, &Throttle::default())?;
        // Nobody waits for a merge, and searches would wait beside one.
        background::lower("merge_thread");
        writer.merge(true);
        Ok(writer)
    }

    /// Opens a generation to take in a whole catalog: with more memory, throttled, and without merging until the end.
    /// Merges and indexing happen on threads of the priority of the one that calls this.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_to_build(root: &Path, generation_name: &str, throttle: &Throttle) -> Result<Self, IndexError> {
        let writer = Self::with_memory(root, generation_name, BUILD_HEAP_BYTES, throttle)?;
        writer.merge(false);
        Ok(writer)
    }

    fn with_memory(root: &Path, generation_name: &str, bytes: usize, throttle: &Throttle) -> Result<Self, IndexError> {
        let (index, manifest) = generation::open_throttled(root, generation_name, throttle)?;
        generation::check_after_crash(root, generation_name, &index)?;
        let writer: TantivyWriter = index.writer_with_num_threads(1, bytes)?;
        // Files that a killed writer left behind would meet those of the replay; see `tests/reopened.rs`.
        writer.garbage_collect_files().wait()?;
        // The engine would stamp the first change as the last commit was stamped, and a merge that begins before the
        // next commit would pass it by in some segments: both versions would be found. This uses that stamp up.
        writer.run(Vec::new())?;
        let offsets = read_offsets(&index)?;
        let (_, fields) = crate::schema::schema();
        let (versions, live) = record::versions(&index, generation_name)?;
        let (generation, searched) = (generation_name.to_owned(), manifest.bundle.fields);
        Ok(Self {
            writer: Some(writer),
            throttle: throttle.clone(),
            fields,
            searched,
            versions,
            live,
            offsets,
            generation,
        })
    }

    /// The engine's writer, which is there until this one is dropped.
    fn engine(&self) -> Result<&TantivyWriter, IndexError> {
        self.writer.as_ref().ok_or_else(|| IndexError::Missing(self.generation.clone()))
    }

    /// Merges small segments after a commit, or leaves them as they are: while a backlog waits, merging
    /// would take the time of what shoppers can't find yet.
    pub fn merge(&self, merge: bool) {
        let Some(writer) = &self.writer else { return };
        if !merge {
            return writer.set_merge_policy(Box::new(NoMergePolicy));
        }
        let mut policy = LogMergePolicy::default();
        // Eight segments of about one size make the next size, so that each document is rewritten once for
        // each power of eight. By default everything below 10,000 documents is of one size: a shop's
        // steady trickle of changes would rewrite thousands of documents with every eighth commit.
        policy.set_min_num_segments(8);
        policy.set_min_layer_size(64);
        policy.set_level_log_size(3.0);
        // Replaced versions count in BM25's statistics until their segment is rewritten: a third of them at most, as
        // Lucene had it for long. At a tenth, steady writes made merges the larger part of the writer's work.
        policy.set_del_docs_ratio_before_merge(0.3);
        policy.set_max_docs_before_merge(200_000);
        writer.set_merge_policy(Box::new(policy));
    }

    /// The generation's name.
    #[must_use]
    pub fn generation(&self) -> &str {
        &self.generation
    }

    /// The offsets of the last commit.
    #[must_use]
    pub const fn offsets(&self) -> &Offsets {
        &self.offsets
    }

    /// Documents that can be found, those of the next commit included.
    #[must_use]
    pub const fn document_count(&self) -> u64 {
        self.live
    }

    /// Takes in a document, unless the same or a newer version is known. A removed document stays as
    /// a record of its version, so that an older one can't bring it back.
    ///
    /// # Errors
    /// If tantivy fails; the writer must then be dropped and opened anew.
    pub fn upsert(&mut self, document: &SearchDocument) -> Result<Upsert, IndexError> {
        let mut operations = Vec::with_capacity(2);
        let outcome = self.prepare(document, &mut operations)?;
        self.engine()?.run(operations)?;
        Ok(outcome)
    }

    /// Takes in documents as [`Self::upsert`] does, many at once.
    ///
    /// # Errors
    /// As [`Self::upsert`].
    pub fn upsert_all<'a>(
        &mut self,
        documents: impl IntoIterator<Item = &'a SearchDocument>,
    ) -> Result<(), IndexError> {
        let mut operations = Vec::with_capacity(HANDED * 2);
        for document in documents {
            self.throttle.rest()?;
            self.prepare(document, &mut operations)?;
            if operations.len() >= HANDED {
                self.engine()?.run(std::mem::take(&mut operations))?;
            }
        }
        self.engine()?.run(operations)?;
        Ok(())
    }

    /// What the engine has to do for a document.
    fn prepare(
        &mut self,
        document: &SearchDocument,
        operations: &mut Vec<UserOperation<TantivyDocument>>,
    ) -> Result<Upsert, IndexError> {
        let key = record::key(document.tenant_id, document.product_id);
        // The lowest bit tells live from removed; versions are microseconds, far below 2^63.
        let known = self.versions.get(&key).copied();
        if known.is_some_and(|known| known >> 1 >= document.doc_version) {
            return Ok(Upsert::Stale);
        }
        if known.is_some() {
            operations.push(UserOperation::Delete(Term::from_field_text(self.fields.key, &key)));
        }
        operations.push(UserOperation::Add(record::to_tantivy(&self.fields, self.searched, &key, document)?));
        self.live =
            self.live + u64::from(document.product.is_some()) - u64::from(known.is_some_and(|known| known & 1 == 1));
        self.versions.insert(key, document.doc_version << 1 | u64::from(document.product.is_some()));
        Ok(Upsert::Applied)
    }

    /// Makes everything taken in searchable, with the offsets it came from, atomically.
    ///
    /// # Errors
    /// If tantivy fails; the writer must then be dropped and opened anew.
    pub fn commit(&mut self, offsets: Offsets) -> Result<(), IndexError> {
        let payload = offsets::to_json(&offsets);
        // `commit()` alone would clear the payload.
        let Some(writer) = &mut self.writer else { return Err(IndexError::Missing(self.generation.clone())) };
        let mut prepared = writer.prepare_commit()?;
        prepared.set_payload(&payload);
        prepared.commit()?;
        self.offsets = offsets;
        Ok(())
    }

    /// Merges all segments into some few, side by side, and waits for that.
    ///
    /// # Errors
    /// If a merge failed.
    pub fn compact(&mut self, into: usize) -> Result<(), IndexError> {
        let Some(writer) = &mut self.writer else { return Err(IndexError::Missing(self.generation.clone())) };
        let mut segments = writer.index().searchable_segment_metas()?;
        segments.sort_by_key(|segment| std::cmp::Reverse(segment.num_docs()));
        let mut groups: Vec<Vec<SegmentId>> = vec![Vec::new(); into.max(1)];
        let count = groups.len();
        for (place, segment) in segments.iter().enumerate() {
            groups[place % count].push(segment.id());
        }
        let merges: Vec<_> = groups.iter().filter(|group| group.len() > 1).map(|group| writer.merge(group)).collect();
        for merge in merges {
            merge.wait()?;
        }
        Ok(())
    }

    /// Waits for merges and ends the writer.
    ///
    /// # Errors
    /// If a merge failed.
    pub fn close(mut self) -> Result<(), IndexError> {
        match self.writer.take() {
            Some(writer) => Ok(writer.wait_merging_threads()?),
            None => Ok(()),
        }
    }
}

impl Drop for IndexWriter {
    /// Waits for the merges that are running: one that ended after another writer has opened the folder would
    /// write the list of segments as it was, and remove files that are no longer on it.
    fn drop(&mut self) {
        self.merge(false);
        if let Some(Err(error)) = self.writer.take().map(TantivyWriter::wait_merging_threads) {
            tracing::warn!(%error, index.generation = %self.generation, "the last merge failed; its segments stay apart");
        }
    }
}

fn read_offsets(index: &Index) -> Result<Offsets, IndexError> {
    let payload = index.load_metas()?.payload.unwrap_or_default();
    Ok(offsets::parse(&payload).map_err(std::io::Error::from)?)
}
