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
    writer::{IndexWriter, Upsert},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn document(product: u128, version: u64) -> SearchDocument {
    SearchDocument {
        tenant_id: TenantId(Uuid::from_u128(1)),
        product_id: ProductId(Uuid::from_u128(product)),
        doc_version: version,
        product: Some(SearchProduct {
            title: format!("thing {product} as of {version}"),
            // Nothing that could be compressed.
            description: Some(format!("{:x}", (product + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835))),
            ..SearchProduct::default()
        }),
    }
}

fn commit(writer: &mut IndexWriter, product: u128, version: u64) {
    writer.upsert(&document(product, version)).expect("written");
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
    spoilt_is_damage(root.path(), &file(root.path(), "pack"));
    // Of a larger segment, the largest files stand for themselves, and the others in a compound file.
    (2..6_000).for_each(|product| assert_eq!(writer.upsert(&document(product, 1)).expect("written"), Upsert::Applied));
    commit(&mut writer, 6_000, 1);
    drop(writer);
    for kind in ["store", "pack"] {
        spoilt_is_damage(root.path(), &file(root.path(), kind));
    }
}

/// Spoils a file in every way, and mends it.
fn spoilt_is_damage(root: &Path, path: &Path) {
    generation::check(root, "g1").expect("all files are right");
    let right = fs::read(path).expect("read");
    let flipped = |at: usize| {
        let mut bytes = right.clone();
        bytes[at] ^= 0x10;
        Some(bytes)
    };
    // The last bytes of a compound file are its table.
    let ends = [1, 9, 13, 20].map(|before| flipped(right.len() - before));
    let short = Some(right[..right.len() / 2].to_vec());
    for wrong in [flipped(0), short, Some(Vec::new()), None].into_iter().chain(ends) {
        match &wrong {
            Some(bytes) => fs::write(path, bytes).expect("spoilt"),
            None => fs::remove_file(path).expect("removed"),
        }
        let found = generation::check(root, "g1");
        let named = |reason: &str| path.file_name().is_some_and(|name| reason.contains(&*name.to_string_lossy()));
        assert!(
            matches!(&found, Err(IndexError::Damaged { reason, .. }) if named(reason)),
            "{:?}: {found:?}",
            wrong.map(|bytes| bytes.len())
        );
        fs::write(path, &right).expect("mended");
        generation::check(root, "g1").expect("all files are right again");
    }
}
