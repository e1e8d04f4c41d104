//! Small files of a segment stand in one; larger ones, and those of folders from before, for themselves.
#![expect(clippy::expect_used, reason = "a test")]

use schemas::{
    Timestamp, Uuid,
    ids::{ProductId, TenantId},
};
use search::{
    document::{SearchDocument, SearchProduct},
    generation::{self, Manifest},
    offsets::Offsets,
    reader::IndexHandle,
    writer::IndexWriter,
};
use std::{collections::BTreeMap, fs, path::Path};
use tantivy::{Index, TantivyDocument, directory::MmapDirectory};

const TENANT: TenantId = TenantId(Uuid::from_u128(1));

fn put(writer: &mut IndexWriter, product: u128, version: u64) {
    let title = format!("thing {product} as of {version}");
    // Nothing that could be compressed.
    let description: String = (1..8)
        .map(|number| format!("{:x} ", (product + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_u128.pow(number % 2 + 1))))
        .collect();
    let document = SearchDocument {
        tenant_id: TENANT,
        product_id: ProductId(Uuid::from_u128(product)),
        doc_version: version,
        product: Some(SearchProduct { title, description: Some(description), ..SearchProduct::default() }),
    };
    writer.upsert(&document).expect("written");
}

/// How many files of each kind a generation has.
fn kinds(root: &Path) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for entry in fs::read_dir(root.join("g1")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let kind = path.extension().map(|kind| kind.to_string_lossy().into_owned()).unwrap_or_default();
        *kinds.entry(kind).or_default() += 1;
    }
    kinds
}

/// The titles of some products, as a reader that is opened now has them.
fn titles(root: &Path, products: impl Iterator<Item = u128>) -> Vec<Option<String>> {
    let snapshot = IndexHandle::open(root, "g1").expect("opened").snapshot();
    let card = |product| snapshot.card_of(TENANT, ProductId(Uuid::from_u128(product))).expect("read");
    products.map(|product| card(product).map(|card| card.title)).collect()
}

#[test]
fn a_commit_of_one_product_is_one_file_and_leaves_nothing_behind() {
    let root = tempfile::tempdir().expect("a folder");
    generation::create(root.path(), &Manifest::current("g1", Timestamp::UNIX_EPOCH)).expect("created");
    let mut writer = IndexWriter::open(root.path(), "g1").expect("opened");
    put(&mut writer, 0, 1);
    writer.commit(Offsets::new()).expect("committed");
    // Beside it the commit, the manifest, the locks and the mark of the machine's start.
    let expected = [("", 1), ("json", 2), ("lock", 2), ("pack", 1)].map(|(kind, count)| (kind.to_owned(), count));
    assert_eq!(kinds(root.path()), BTreeMap::from(expected));
    for version in 2..200 {
        put(&mut writer, u128::from(version % 20), version);
        writer.commit(Offsets::new()).expect("committed");
    }
    // What is taken in and not committed is nowhere, and is gone with the writer.
    put(&mut writer, 20, 1);
    drop(writer);
    let snapshot = IndexHandle::open(root.path(), "g1").expect("opened").snapshot();
    let segments = snapshot.segments.searcher.segment_readers().len();
    // Whatever was merged away is removed when the next writer opens the folder.
    drop(IndexWriter::open(root.path(), "g1").expect("opened"));
    let found = kinds(root.path());
    assert_eq!(found.get("pack"), Some(&segments), "{found:?}");
    assert!(
        ["store", "term", "idx", "pos", "fast", "fieldnorm", "draft"].iter().all(|kind| !found.contains_key(*kind))
    );
    let newest = |product: u64| format!("thing {product} as of {}", 180 + product);
    let expected: Vec<_> = (0..20).map(|product| Some(newest(product))).chain([None]).collect();
    assert_eq!(titles(root.path(), 0..21), expected);
}

#[test]
fn large_files_stand_for_themselves() {
    let root = tempfile::tempdir().expect("a folder");
    generation::create(root.path(), &Manifest::current("g1", Timestamp::UNIX_EPOCH)).expect("created");
    let mut writer = IndexWriter::open(root.path(), "g1").expect("opened");
    (0..6_000).for_each(|product| put(&mut writer, product, 1));
    writer.commit(Offsets::new()).expect("committed");
    let found = kinds(root.path());
    assert_eq!(
        (found.get("store"), found.get("fieldnorm"), found.get("pack")),
        (Some(&1), None, Some(&1)),
        "{found:?}"
    );
    let expected: Vec<_> = (0..6_000).step_by(500).map(|product| Some(format!("thing {product} as of 1"))).collect();
    assert_eq!(titles(root.path(), (0..6_000).step_by(500)), expected);
    // A copy by hard links has all of them.
    generation::copy(root.path(), "g1", "g2", &Manifest::current("g2", Timestamp::UNIX_EPOCH)).expect("copied");
    generation::check(root.path(), "g2").expect("all files are right");
}

#[test]
fn a_folder_from_before_is_taken_over() {
    let root = tempfile::tempdir().expect("a folder");
    generation::create(root.path(), &Manifest::current("g1", Timestamp::UNIX_EPOCH)).expect("created");
    let folder = root.path().join("g1");
    // As the engine's own directory writes it: each file for itself, and a list of them.
    let index = Index::open(MmapDirectory::open(&folder).expect("a folder")).expect("opened");
    search::analyzer::register(index.tokenizers(), &search::analyzer::Analysis::default());
    let key = index.schema().get_field("key").expect("a field");
    let mut engine = index.writer_with_num_threads::<TantivyDocument>(1, 64 * 1024 * 1024).expect("a writer");
    let mut record = TantivyDocument::default();
    record.add_text(key, "old");
    engine.add_document(record).expect("written");
    engine.commit().expect("committed");
    drop(engine);
    assert!(folder.join(".managed.json").exists() && kinds(root.path()).get("store") == Some(&1));
    generation::check(root.path(), "g1").expect("all files are right");
    // A file that no commit names, as a killed writer leaves one behind.
    let left = folder.join("00112233445566778899aabbccddeeff.store");
    fs::write(&left, b"left behind").expect("written");
    let mut writer = IndexWriter::open(root.path(), "g1").expect("opened");
    put(&mut writer, 1, 1);
    writer.commit(Offsets::new()).expect("committed");
    assert!(!left.exists());
    assert_eq!((kinds(root.path()).get("store"), kinds(root.path()).get("pack")), (Some(&1), Some(&1)));
    generation::check(root.path(), "g1").expect("all files are right");
    assert_eq!(titles(root.path(), 1..2), [Some("thing 1 as of 1".to_owned())]);
}
