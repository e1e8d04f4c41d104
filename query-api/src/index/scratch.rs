//! Indexes in a folder of their own, for tests.

use schemas::{Utc, Uuid};
use search::{
    generation::{self, Manifest},
    offsets::Offsets,
    reader::IndexHandle,
    writer::IndexWriter,
};
use std::path::PathBuf;

/// A folder of generations; it goes with this value.
pub struct Scratch(pub PathBuf);

impl Scratch {
    /// An empty one.
    pub fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("souk-indexes-{}", Uuid::now_v7()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    /// A generation that stands at an offset, and its writer.
    pub fn index(&self, name: &str, next: i64) -> IndexWriter {
        generation::create(&self.0, &Manifest::current(name, Utc::now())).expect("created");
        let mut writer = IndexWriter::open(&self.0, name).expect("opened");
        writer.commit(offset(next)).expect("committed");
        writer
    }

    /// A generation, for reading.
    pub fn open(&self, name: &str) -> IndexHandle {
        IndexHandle::open(&self.0, name).expect("opened")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The system's folder for such files is emptied by the system.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A place in the one partition there is.
pub fn offset(next: i64) -> Offsets {
    Offsets::from([(("documents".to_owned(), 0), next)])
}
