//! A tantivy directory that never waits for the disk.
//!
//! What a crash of the machine loses is replayed from the document topic: the offsets stand in the
//! same commit. A crash of the process loses nothing, since written pages belong to the system.
//! After a crash of the machine, [`crate::generation`] checks the files before they are used.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tantivy::directory::{
    AntiCallToken, DirectoryLock, FileHandle, Lock, MmapDirectory, TerminatingWrite, WatchCallback, WatchHandle,
    WritePtr,
    error::{DeleteError, LockError, OpenDirectoryError, OpenReadError, OpenWriteError},
};

/// [`MmapDirectory`] without any `fsync`.
#[derive(Clone)]
pub struct RelaxedDirectory {
    inner: MmapDirectory,
    root: PathBuf,
}

impl RelaxedDirectory {
    /// Opens a folder that exists.
    ///
    /// # Errors
    /// If it is not there or not a folder.
    pub fn open(root: &Path) -> Result<Self, OpenDirectoryError> {
        Ok(Self { inner: MmapDirectory::open(root)?, root: root.to_owned() })
    }
}

impl fmt::Debug for RelaxedDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RelaxedDirectory({})", self.root.display())
    }
}

struct FileWriter(File);

impl Write for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for FileWriter {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        Ok(())
    }
}

impl tantivy::Directory for RelaxedDirectory {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.inner.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.inner.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.inner.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let file =
            OpenOptions::new().write(true).create_new(true).open(self.root.join(path)).map_err(|error| match error
                .kind()
            {
                io::ErrorKind::AlreadyExists => OpenWriteError::FileAlreadyExists(path.to_owned()),
                _ => OpenWriteError::wrap_io_error(error, path.to_owned()),
            })?;
        Ok(BufWriter::new(Box::new(FileWriter(file))))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.inner.atomic_read(path)
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        // A draft of its own for each write: a merge of a writer that was dropped a moment ago may still be
        // writing the same file as the one that follows it, and one would rename the other's draft away.
        static DRAFTS: AtomicU64 = AtomicU64::new(0);
        let target = self.root.join(path);
        let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
        let draft = target.with_extension(format!("{}-{number}.draft", std::process::id()));
        std::fs::write(&draft, data)?;
        std::fs::rename(draft, target)
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.inner.acquire_lock(lock)
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.inner.watch(callback)
    }
}
