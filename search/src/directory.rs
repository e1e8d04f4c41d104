//! A tantivy directory that never waits for the disk, and has as few files as it can.
//!
//! What a crash of the machine loses is replayed from the document topic: the offsets stand in the
//! same commit. A crash of the process loses nothing, since written pages belong to the system.
//! After a crash of the machine, [`crate::generation`] checks the files before they are used.
//!
//! Small files of a segment stand in one, see `compound`. The engine keeps a list of its files in one more, and writes
//! it anew with every file: here the folder itself is the list.

use crate::background::Throttle;
use compound::{CompoundFiles, ENDING, KINDS, SegmentWriter};
use std::{
    fmt,
    fs::{self, File},
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

pub(crate) mod compound;

/// The file that the engine replaces whole at each commit.
const COMMIT: &str = "meta.json";
/// The engine's list of the files that it may remove.
const LIST: &str = ".managed.json";
/// What is written under it is not complete.
const DRAFT: &str = "draft";

/// [`MmapDirectory`] without any `fsync`, with compound files for small files.
#[derive(Clone)]
pub struct RelaxedDirectory {
    inner: MmapDirectory,
    root: PathBuf,
    compound: Arc<CompoundFiles>,
    throttle: Throttle,
}

impl RelaxedDirectory {
    /// Opens a folder that exists.
    ///
    /// # Errors
    /// If it is not there or not a folder.
    pub fn open(root: &Path) -> Result<Self, OpenDirectoryError> {
        Ok(Self {
            inner: MmapDirectory::open(root)?,
            root: root.to_owned(),
            compound: Arc::default(),
            throttle: Throttle::default(),
        })
    }

    /// The same for work in the background: whoever writes a segment is throttled.
    #[must_use]
    pub fn throttled(mut self, throttle: &Throttle) -> Self {
        self.throttle = throttle.clone();
        self
    }

    /// The files of segments that are in the folder, those of compound files one by one, as JSON.
    fn list(&self) -> io::Result<Vec<u8>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let Some((segment, kind)) = name.split_once('.') else { continue };
            let is_segment = segment.len() == 32 && segment.bytes().all(|letter| letter.is_ascii_hexdigit());
            if is_segment && kind == ENDING {
                names.extend(KINDS.iter().map(|kind| format!("{segment}.{kind}")));
            } else if is_segment && !kind.ends_with(DRAFT) {
                names.push(name);
            }
        }
        Ok(serde_json::to_vec(&names)?)
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
        if let Some(file) = self.compound.at_hand(path) {
            return Ok(file);
        }
        match self.inner.get_file_handle(path) {
            Err(OpenReadError::FileDoesNotExist(missing)) => match self.compound.load(&self.root, path) {
                Ok(found) => found.ok_or(OpenReadError::FileDoesNotExist(missing)),
                Err(error) => Err(OpenReadError::wrap_io_error(error, path.to_owned())),
            },
            found => found,
        }
    }

    /// The first file of a compound file that is removed takes the compound file with it: the engine removes whole segments.
    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        let waited = self.compound.forget(path);
        match self.inner.delete(path) {
            Err(DeleteError::FileDoesNotExist(_)) if waited => Ok(()),
            Err(DeleteError::FileDoesNotExist(missing)) => {
                let Some((segment, _)) = compound::parts(path) else {
                    return Err(DeleteError::FileDoesNotExist(missing));
                };
                fs::remove_file(compound::path(&self.root, segment)).map_err(|error| match error.kind() {
                    io::ErrorKind::NotFound => DeleteError::FileDoesNotExist(missing),
                    _ => DeleteError::IoError { io_error: Arc::new(error), filepath: path.to_owned() },
                })
            }
            removed => removed,
        }
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        Ok(self.compound.is_waiting(path)
            || self.inner.exists(path)?
            || self
                .compound
                .load(&self.root, path)
                .map_err(|error| OpenReadError::wrap_io_error(error, path.to_owned()))?
                .is_some())
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let refused = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => OpenWriteError::FileAlreadyExists(path.to_owned()),
            _ => OpenWriteError::wrap_io_error(error, path.to_owned()),
        };
        let full = self.root.join(path);
        if compound::parts(path).is_none() {
            return Ok(BufWriter::new(Box::new(FileWriter(compound::create(&full).map_err(refused)?))));
        }
        if full.exists() || self.compound.is_waiting(path) {
            return Err(OpenWriteError::FileAlreadyExists(path.to_owned()));
        }
        Ok(BufWriter::new(Box::new(SegmentWriter::new(path, &self.root, &self.compound, &self.throttle))))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        if path == Path::new(LIST) {
            return self.list().map_err(|error| OpenReadError::wrap_io_error(error, path.to_owned()));
        }
        self.inner.atomic_read(path)
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        // A draft of its own for each write: a merge of a writer that was dropped a moment ago may still be
        // writing the same file as the one that follows it, and one would rename the other's draft away.
        static DRAFTS: AtomicU64 = AtomicU64::new(0);
        if path == Path::new(LIST) {
            return Ok(());
        }
        if path == Path::new(COMMIT) {
            self.compound.write(&self.root, data)?;
        }
        let target = self.root.join(path);
        let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
        let draft = target.with_extension(format!("{}-{number}.{DRAFT}", std::process::id()));
        fs::write(&draft, data)?;
        fs::rename(draft, target)
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
