//! No key stands twice in an index, whatever is merged meanwhile, and however often its writer is opened anew.
#![expect(clippy::expect_used, reason = "a test")]

use schemas::{
    Timestamp, Uuid,
    ids::{ProductId, TenantId},
};
use search::{
    document::{SearchDocument, SearchProduct},
    generation::{self, Manifest},
    offsets::Offsets,
    writer::IndexWriter,
};
use std::{collections::BTreeMap, path::Path};
use tantivy::ReloadPolicy;

fn document(product: u128, version: u64) -> SearchDocument {
    SearchDocument {
        tenant_id: TenantId(Uuid::from_u128(1)),
        product_id: ProductId(Uuid::from_u128(product)),
        doc_version: version,
        product: Some(SearchProduct { title: format!("thing {product} as of {version}"), ..SearchProduct::default() }),
    }
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
    let offsets = |next| Offsets::from([(("documents".to_owned(), 0), next)]);
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
