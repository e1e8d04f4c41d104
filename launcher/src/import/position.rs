//! Where an import stands, so that one that was broken off goes on there.
//!
//! One small file for each file, mapping, tenant and write API, replaced as a whole after each batch
//! and removed at the end. Losing it loses no data: an import writes the same things again.

use super::{error::ImportError, repair::RepairCounts, report::Counts};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

/// What the position of an import depends on.
#[derive(Debug, Clone)]
pub(crate) struct PositionKey<'a> {
    pub(crate) file_sha256: &'a str,
    pub(crate) mapping_digest: &'a str,
    pub(crate) tenant: &'a str,
    pub(crate) write_url: &'a str,
}

/// Records from the beginning of the file that are settled.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) records: u64,
    pub(crate) counts: Counts,
    /// What was repaired in them.
    #[serde(default)]
    pub(crate) repaired: RepairCounts,
}

/// The file a position is kept in.
#[derive(Debug, Clone)]
pub(crate) struct PositionFile {
    path: PathBuf,
}

impl PositionFile {
    pub(crate) fn new(folder: &Path, key: &PositionKey<'_>) -> Self {
        let key = [key.file_sha256, key.mapping_digest, key.tenant, key.write_url].join("\n");
        Self { path: folder.join(format!("{}.json", &sha256_hex(key.as_bytes())[..24])) }
    }

    /// Where the last run stopped; the beginning, if there was none or its file can't be understood.
    pub(crate) fn load(&self) -> Position {
        let text = std::fs::read(&self.path).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    pub(crate) fn store(&self, position: &Position) -> Result<(), ImportError> {
        let failed = ImportError::writing(&self.path);
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(&failed)?;
        }
        let text = serde_json::to_vec(position).map_err(|error| failed(error.into()))?;
        let next = self.path.with_extension("next");
        std::fs::write(&next, text).and_then(|()| std::fs::rename(&next, &self.path)).map_err(&failed)
    }

    pub(crate) fn remove(&self) -> Result<(), ImportError> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(ImportError::writing(&self.path)(error)),
            _ => Ok(()),
        }
    }
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// SHA-256 of a file's content in hexadecimal.
pub(crate) fn sha256_of_file(path: &Path) -> Result<String, ImportError> {
    let mut file = File::open(path).map_err(ImportError::reading(path))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer).map_err(ImportError::reading(path))? {
            0 => return Ok(hex::encode(hasher.finalize())),
            bytes => hasher.update(&buffer[..bytes]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: PositionKey<'_> =
        PositionKey { file_sha256: "f", mapping_digest: "m", tenant: "demo", write_url: "http://127.0.0.1:8080" };

    #[test]
    fn what_is_stored_is_loaded_and_only_for_the_same_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = PositionFile::new(&folder.path().join("below"), &KEY);
        let position = Position {
            records: 500,
            counts: Counts { read: 500, created: 499, rejected: 1, ..Counts::default() },
            ..Position::default()
        };
        assert_eq!(file.load(), Position::default());
        file.store(&position).expect("stored");
        assert_eq!(file.load(), position);
        let other = PositionKey { tenant: "other", ..KEY };
        assert_eq!(PositionFile::new(&folder.path().join("below"), &other).load(), Position::default());
        file.remove().expect("removed");
        file.remove().expect("removing nothing is fine");
        assert_eq!(file.load(), Position::default());
    }

    #[test]
    fn a_torn_position_file_means_from_the_beginning() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = PositionFile::new(folder.path(), &KEY);
        std::fs::write(&file.path, b"{\"records\":5").expect("written");
        assert_eq!(file.load(), Position::default());
    }

    #[test]
    fn a_file_has_the_hash_of_its_content() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x");
        std::fs::write(&path, b"abc").expect("written");
        assert_eq!(sha256_of_file(&path).expect("hashed"), sha256_hex(b"abc"));
        assert!(sha256_hex(b"abc").starts_with("ba7816bf8f01cfea"));
    }
}
