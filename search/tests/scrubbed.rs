//! What a check of the files finds, and what it doesn't take for damage.
#![expect(clippy::expect_used, reason = "a test")]

use schemas::{
    Timestamp, Uuid,
    ids::{ProductId, TenantId},
};
use search::{
    IndexError,
    document::{SearchDocument, SearchProduct},
    generation::{self, Manifest},
    offsets::Offsets,
    writer::IndexWriter,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn commit(writer: &mut IndexWriter, product: u128, version: u64) {
    let document = SearchDocument {
        tenant_id: TenantId(Uuid::from_u128(1)),
        product_id: ProductId(Uuid::from_u128(product)),
        doc_version: version,
        product: Some(SearchProduct { title: format!("thing {product} as of {version}"), ..SearchProduct::default() }),
    };
    writer.upsert(&document).expect("written");
    writer.commit(Offsets::new()).expect("committed");
}

fn created(root: &Path) -> IndexWriter {
    generation::create(root, &Manifest::current("g1", Timestamp::UNIX_EPOCH)).expect("created");
    IndexWriter::open(root, "g1").expect("opened")
}

#[test]
fn a_busy_writer_is_no_damage_and_no_hindrance() {
    let root = tempfile::tempdir().expect("a folder");
    let mut writer = created(root.path());
    commit(&mut writer, 0, 1);
    let mut checks = 0;
    std::thread::scope(|scope| {
        // Commits and merges take files away all the time.
        let writing = scope.spawn(|| (0..400).for_each(|number| commit(&mut writer, number % 40, 2 + number as u64)));
        while !writing.is_finished() {
            generation::check(root.path(), "g1").expect("all files are right");
            checks += 1;
        }
    });
    assert!(checks > 0);
}

/// The largest file of a kind.
fn file(root: &Path, kind: &str) -> PathBuf {
    let files = fs::read_dir(root.join("g1")).expect("a folder").map(|entry| entry.expect("an entry").path());
    let of_kind = files.filter(|path| path.extension().is_some_and(|extension| extension == kind));
    of_kind.max_by_key(|path| path.metadata().map(|meta| meta.len()).unwrap_or_default()).expect("a file")
}

#[test]
fn a_wrong_byte_a_short_file_and_a_missing_one_are_damage() {
    let root = tempfile::tempdir().expect("a folder");
    let mut writer = created(root.path());
    commit(&mut writer, 1, 1);
    drop(writer);
    generation::check(root.path(), "g1").expect("all files are right");
    let path = file(root.path(), "store");
    let right = fs::read(&path).expect("read");
    let mut flipped = right.clone();
    flipped[0] ^= 0x10;
    let short = right[..right.len() / 2].to_vec();
    for wrong in [Some(flipped), Some(short), Some(Vec::new()), None] {
        match &wrong {
            Some(bytes) => fs::write(&path, bytes).expect("spoilt"),
            None => fs::remove_file(&path).expect("removed"),
        }
        let found = generation::check(root.path(), "g1");
        let named = |reason: &str| path.file_name().is_some_and(|name| reason.contains(&*name.to_string_lossy()));
        assert!(
            matches!(&found, Err(IndexError::Damaged { reason, .. }) if named(reason)),
            "{:?}: {found:?}",
            wrong.map(|bytes| bytes.len())
        );
        fs::write(&path, &right).expect("mended");
        generation::check(root.path(), "g1").expect("all files are right again");
    }
}
