//! What a writer may not leave behind for the one that follows it.
//!
//! One that is killed between the file of deletions and the commit leaves that file behind. The
//! replay makes the same operations with the same stamps, meets the file, and fails at every restart,
//! for good: unless what no commit names is collected before the first write.
//!
//! And no key stands twice, whatever is merged while a writer is opened.
#![expect(clippy::expect_used, reason = "a test")]

use schemas::{
    Timestamp, Uuid,
    ids::{ProductId, TenantId},
};
use search::{
    directory::RelaxedDirectory,
    document::{SearchDocument, SearchProduct},
    generation::{self, Manifest},
    offsets::Offsets,
    writer::IndexWriter,
};
use std::{collections::BTreeMap, fs, path::Path};
use tantivy::{Index, ReloadPolicy, TantivyDocument, Term, indexer::NoMergePolicy};

fn document(product: u128, version: u64) -> SearchDocument {
    SearchDocument {
        tenant_id: TenantId(Uuid::from_u128(1)),
        product_id: ProductId(Uuid::from_u128(product)),
        doc_version: version,
        product: Some(SearchProduct { title: format!("thing {product} as of {version}"), ..SearchProduct::default() }),
    }
}

fn offsets(next: i64) -> Offsets {
    Offsets::from([(("documents".to_owned(), 0), next)])
}

fn replay(writer: &mut IndexWriter) -> Result<(), search::IndexError> {
    for product in 0..5 {
        writer.upsert(&document(product, 2))?;
    }
    writer.commit(offsets(25))
}

/// A generation whose writer was killed in its second commit, after the deletions were written.
fn killed(root: &Path) {
    generation::create(root, &Manifest::current("g1", Timestamp::UNIX_EPOCH)).expect("created");
    let mut writer = IndexWriter::open(root, "g1").expect("opened");
    for product in 0..20 {
        writer.upsert(&document(product, 1)).expect("written");
    }
    writer.commit(offsets(20)).expect("committed");
    drop(writer);
    let meta = root.join("g1/meta.json");
    let before = fs::read(&meta).expect("the first commit");
    naive(&root.join("g1")).expect("committed");
    fs::write(meta, before).expect("the second commit never happened");
}

/// Replays as a writer would that collects nothing first; merges would take the file of deletions away.
fn naive(folder: &Path) -> tantivy::Result<()> {
    let index = Index::open(RelaxedDirectory::open(folder)?)?;
    search::analyzer::register(index.tokenizers(), &search::analyzer::Analysis::default());
    let key = index.schema().get_field("key")?;
    let mut writer = index.writer_with_num_threads::<TantivyDocument>(1, 64 * 1024 * 1024)?;
    writer.set_merge_policy(Box::new(NoMergePolicy));
    for product in 0..5 {
        let document = document(product, 2);
        let text = format!("{}:{}", document.tenant_id, document.product_id);
        writer.delete_term(Term::from_field_text(key, &text));
        let mut record = TantivyDocument::default();
        record.add_text(key, text);
        writer.add_document(record)?;
    }
    writer.commit()?;
    Ok(())
}

#[test]
fn a_killed_writer_does_not_wedge_the_index() {
    let root = tempfile::tempdir().expect("a folder");
    killed(root.path());
    for attempt in 0..2 {
        let error = naive(&root.path().join("g1")).expect_err("a naive writer is wedged").to_string();
        assert!(error.contains("already exists") || error.contains("AlreadyExists"), "attempt {attempt}: {error}");
    }
    let mut writer = IndexWriter::open(root.path(), "g1").expect("opened");
    assert_eq!(writer.offsets(), &offsets(20));
    replay(&mut writer).expect("the replay goes through");
    assert_eq!((writer.offsets(), writer.document_count()), (&offsets(25), 20));
}

/// The versions of every key that can be found.
fn found(root: &Path) -> BTreeMap<String, Vec<u64>> {
    let (index, _) = generation::open(root, "g1").expect("opened");
    let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into().expect("a reader");
    let mut found = BTreeMap::<String, Vec<u64>>::new();
    for segment in reader.searcher().segment_readers() {
        let keys = segment.fast_fields().str("key").expect("a column");
        let versions = segment.fast_fields().u64("version").expect("a column");
        let Some(keys) = keys else { continue };
        for doc in segment.doc_ids_alive() {
            let mut key = String::new();
            let ord = keys.term_ords(doc).next().expect("a key");
            keys.ord_to_str(ord, &mut key).expect("the key's text");
            found.entry(key).or_default().extend(versions.first(doc));
        }
    }
    found
}

/// The engine gives the first change after an opening the stamp of the last commit. A merge that begins before the
/// next commit takes it for committed, and passes it by in the segments that this commit had changed.
#[test]
fn the_first_change_of_a_writer_that_merges_is_not_forgotten() {
    let root = tempfile::tempdir().expect("a folder");
    generation::create(root.path(), &Manifest::current("g1", Timestamp::UNIX_EPOCH)).expect("created");
    let mut writer = IndexWriter::open(root.path(), "g1").expect("opened");
    writer.merge(false);
    for segment in 0..12_u128 {
        // The first is the largest, and none of its documents is replaced.
        let size = if segment == 0 { 40 } else { 30 };
        let documents: Vec<_> = (0..size).map(|n| document(segment * 100 + n, 1)).collect();
        writer.upsert_all(&documents).expect("written");
        writer.commit(offsets(1)).expect("committed");
    }
    writer.upsert(&document(100, 2)).expect("written");
    writer.commit(offsets(2)).expect("committed");
    drop(writer);
    let mut writer = IndexWriter::open(root.path(), "g1").expect("opened");
    writer.upsert(&document(101, 2)).expect("written");
    writer.commit(offsets(3)).expect("committed");
    writer.close().expect("merged");
    let twice: Vec<_> = found(root.path()).into_iter().filter(|(_, versions)| versions.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}
