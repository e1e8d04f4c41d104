//! What a backup says of itself.

use crate::LaunchError;
use schemas::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{Read, Write},
    path::Path,
};

/// The manifest's file name.
pub const MANIFEST: &str = "manifest.json";
/// Raised when an older souk could not read a newer backup.
const FORMAT: u32 = 1;

/// One of the two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// What can't be rebuilt.
    Write,
    /// Views, documents and vectors.
    Read,
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Write => "write",
            Self::Read => "read",
        })
    }
}

/// A backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The shape of this file.
    pub format: u32,
    /// The souk that made it.
    pub souk_version: String,
    /// When it was finished.
    pub taken_at: Timestamp,
    /// What is in it.
    pub databases: BTreeMap<Which, Database>,
}

/// A dumped database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// The file beside the manifest, in `pg_dump`'s custom format.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
    /// The server it came from.
    pub server_version: String,
    /// The migrations it had, by number, with the SHA-384 of each file in hexadecimal.
    pub migrations: BTreeMap<i64, String>,
    /// Rows of each table, at the moment of the dump.
    pub tables: BTreeMap<String, i64>,
}

impl Manifest {
    /// A manifest of this version.
    #[must_use]
    pub fn new(taken_at: Timestamp, databases: BTreeMap<Which, Database>) -> Self {
        Self { format: FORMAT, souk_version: env!("CARGO_PKG_VERSION").to_owned(), taken_at, databases }
    }

    /// Writes it into the backup's folder.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn save(&self, folder: &Path) -> Result<(), LaunchError> {
        let path = folder.join(MANIFEST);
        let text = serde_json::to_vec_pretty(self).map_err(|error| LaunchError::Other(error.to_string()))?;
        File::create(&path)
            .and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()))
            .map_err(LaunchError::folder(&path))
    }

    /// Reads the manifest of a backup's folder and compares every file with it.
    ///
    /// # Errors
    /// If it is no backup, is of a newer shape, or a file is not what was written.
    pub fn load_checked(folder: &Path) -> Result<Self, LaunchError> {
        let path = folder.join(MANIFEST);
        let text = std::fs::read(&path).map_err(|error| {
            LaunchError::Other(format!("{} is no backup: {} can't be read: {error}", folder.display(), path.display()))
        })?;
        let manifest: Self = serde_json::from_slice(&text)
            .map_err(|error| LaunchError::Other(format!("{} is no manifest: {error}", path.display())))?;
        if manifest.format > FORMAT {
            return Err(LaunchError::Other(format!(
                "the backup was made by souk {} in a newer format ({}); restore it with that version",
                manifest.souk_version, manifest.format
            )));
        }
        for database in manifest.databases.values() {
            let path = folder.join(&database.file);
            let found = sha256(&path)?;
            if found != database.sha256 {
                return Err(LaunchError::Other(format!(
                    "{} is damaged: its SHA-256 is {found}, the manifest says {}. Nothing was restored",
                    path.display(),
                    database.sha256
                )));
            }
        }
        Ok(manifest)
    }
}

/// The SHA-256 of a file in hexadecimal.
///
/// # Errors
/// If it can't be read.
pub fn sha256(path: &Path) -> Result<String, LaunchError> {
    let mut file = File::open(path).map_err(LaunchError::folder(path))?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut buffer).map_err(LaunchError::folder(path))?;
        if read == 0 {
            return Ok(hex::encode(hash.finalize()));
        }
        hash.update(&buffer[..read]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backup(folder: &Path) -> Manifest {
        std::fs::write(folder.join("write.dump"), b"rows").expect("written");
        let database = Database {
            file: "write.dump".to_owned(),
            bytes: 4,
            sha256: sha256(&folder.join("write.dump")).expect("a hash"),
            server_version: "18.4".to_owned(),
            migrations: BTreeMap::from([(1, "ab".to_owned())]),
            tables: BTreeMap::from([("catalog.products".to_owned(), 4)]),
        };
        let manifest = Manifest::new(Timestamp::UNIX_EPOCH, BTreeMap::from([(Which::Write, database)]));
        manifest.save(folder).expect("saved");
        manifest
    }

    #[test]
    fn a_manifest_leads_back_to_itself_while_its_files_are_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let manifest = backup(folder.path());
        assert_eq!(Manifest::load_checked(folder.path()).expect("whole"), manifest);
    }

    #[test]
    fn a_changed_file_is_found_out() {
        let folder = tempfile::tempdir().expect("a folder");
        backup(folder.path());
        std::fs::write(folder.path().join("write.dump"), b"rowz").expect("written");
        let error = Manifest::load_checked(folder.path()).expect_err("damaged").to_string();
        assert!(error.contains("is damaged"), "{error}");
    }

    #[test]
    fn a_newer_format_and_a_folder_without_a_manifest_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(Manifest::load_checked(folder.path()).expect_err("none").to_string().contains("no backup"));
        let newer = Manifest { format: FORMAT + 1, ..backup(folder.path()) };
        newer.save(folder.path()).expect("saved");
        assert!(Manifest::load_checked(folder.path()).expect_err("newer").to_string().contains("newer format"));
    }
}
