//! A build gives way to those who search beside it: it ends as it would without them, and at once when it is given up.
#![expect(clippy::expect_used, reason = "a test")]

use schemas::{
    Timestamp, Utc, Uuid,
    ids::{ProductId, TenantId},
};
use search::{
    background::Throttle,
    digest,
    document::{SearchDocument, SearchProduct},
    generation::{self, Manifest},
    nodes::{self, Figures, ReaderReport},
    offsets::Offsets,
    reader::IndexHandle,
    writer::IndexWriter,
};
use std::{collections::BTreeMap, path::Path, time::Duration};

fn documents(products: u128) -> Vec<SearchDocument> {
    (0..products)
        .map(|product| SearchDocument {
            tenant_id: TenantId(Uuid::from_u128(1)),
            product_id: ProductId(Uuid::from_u128(product)),
            doc_version: 1,
            product: Some(SearchProduct {
                title: format!("Lamps number {product}"),
                description: Some(format!("as bright as {} candles", product * 7)),
                ..SearchProduct::default()
            }),
        })
        .collect()
}

/// A query-api process that says it is busy, and will say so for as long as a test takes.
fn shoppers(root: &Path) {
    let report = ReaderReport {
        reader: "busy".to_owned(),
        figures: BTreeMap::from([("g1".to_owned(), Figures { searches: 1_000, ..Figures::default() })]),
        at: Utc::now() + Duration::from_secs(3_600),
        ..ReaderReport::default()
    };
    nodes::report(root, &report).expect("a report");
}

fn generation(root: &Path) {
    generation::create(root, &Manifest::current("g1", Timestamp::UNIX_EPOCH)).expect("created");
}

#[test]
fn what_is_built_beside_shoppers_is_the_same() {
    let sets = [false, true].map(|busy| {
        let root = tempfile::tempdir().expect("a folder");
        generation(root.path());
        if busy {
            shoppers(root.path());
        }
        let throttle = Throttle::beside(root.path());
        let mut writer = IndexWriter::open_to_build(root.path(), "g1", &throttle).expect("opened");
        for documents in documents(400).chunks(100) {
            writer.upsert_all(documents).expect("taken in");
            writer.commit(Offsets::new()).expect("committed");
        }
        writer.compact(2).expect("merged");
        writer.close().expect("closed");
        let snapshot = IndexHandle::open(root.path(), "g1").expect("opened").snapshot();
        digest::digest_set(&snapshot, &[], &throttle).expect("a digest set")
    });
    assert_eq!(sets[0].live(), 400);
    assert_eq!(sets[0], sets[1]);
}

#[test]
fn a_build_that_is_given_up_ends_where_it_is_and_leaves_its_last_commit() {
    let root = tempfile::tempdir().expect("a folder");
    generation(root.path());
    let throttle = Throttle::beside(root.path());
    let mut writer = IndexWriter::open_to_build(root.path(), "g1", &throttle).expect("opened");
    let documents = documents(60);
    for documents in documents[..40].chunks(20) {
        writer.upsert_all(documents).expect("taken in");
        writer.commit(Offsets::new()).expect("committed");
    }
    throttle.end();
    assert!(writer.upsert_all(&documents[40..]).is_err());
    assert!(writer.compact(1).is_err());
    drop(writer);
    generation::check(root.path(), "g1").expect("all files are right");
    let again = IndexWriter::open(root.path(), "g1").expect("opened");
    assert_eq!(again.document_count(), 40);
}
