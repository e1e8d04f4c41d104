//! Whose an index folder is. A name of a node stands for one folder: copies of generations are reported under it, and
//! two folders under one name would write over each other's reports.

use schemas::Uuid;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
};

const IDENTITY: &str = "node.json";
const LOCK: &str = "node.lock";

/// This machine's name, which is a node's unless another is configured.
#[must_use]
pub fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "node".to_owned() } else { name.trim().to_owned() }
}

/// An index folder, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexFolder {
    /// Drawn when it was first used.
    pub folder: Uuid,
    /// The node whose copies it holds.
    pub node: String,
}

/// Held by the one index writer of a folder; the system lets go of it when the process ends, however that ends.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

impl IndexFolder {
    /// What a folder says of itself; none before an index writer has used it.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn read(index_dir: &Path) -> io::Result<Option<Self>> {
        match fs::read(index_dir.join(IDENTITY)) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The folder under a node's name, with the id it had before, if it had one. Nothing is written yet.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn named(index_dir: &Path, node: &str) -> io::Result<Self> {
        let known = Self::read(index_dir)?.map(|known| known.folder);
        Ok(Self { folder: known.unwrap_or_else(Uuid::now_v7), node: node.to_owned() })
    }

    /// Writes into the folder whose it is.
    ///
    /// # Errors
    /// If the file system fails.
    pub fn write(&self, index_dir: &Path) -> io::Result<()> {
        let draft = index_dir.join("node.draft");
        fs::write(&draft, serde_json::to_vec(self)?)?;
        fs::rename(draft, index_dir.join(IDENTITY))
    }
}

impl FolderLock {
    /// Takes the lock of a folder; none if another index writer has it.
    ///
    /// # Errors
    /// If the file system fails.
    pub fn take(index_dir: &Path) -> io::Result<Option<Self>> {
        let file = File::options().create(true).truncate(false).write(true).open(index_dir.join(LOCK))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_identity_and_has_one_writer() {
        let root = tempfile::tempdir().expect("a folder");
        assert_eq!(IndexFolder::read(root.path()).expect("read"), None);
        let first = IndexFolder::named(root.path(), "a").expect("named");
        first.write(root.path()).expect("written");
        let renamed = IndexFolder::named(root.path(), "b").expect("named");
        assert_eq!((renamed.folder, renamed.node.as_str()), (first.folder, "b"));
        let lock = FolderLock::take(root.path()).expect("asked");
        assert!(lock.is_some() && FolderLock::take(root.path()).expect("asked").is_none());
        drop(lock);
        assert!(FolderLock::take(root.path()).expect("asked").is_some());
    }
}
