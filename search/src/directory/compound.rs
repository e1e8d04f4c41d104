//! The small files of one segment in one file, its compound file (Lucene's term).
//!
//! A commit of one product would otherwise create six files and delete six, and so would the merges after it: on a
//! busy index the file system had more to do than the engine. Lucene has compound files for the same reason.
//!
//! `<segment>.pack` holds the files one after another; then a table as JSON, an array of kind and length in the
//! order of the files; then the table's length, four bytes with the lowest first; then `MAGIC`. What a file holds
//! is guarded by the checksum that the engine puts at its end; a wrong table shows in them.

use crate::background::Throttle;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, HashMap},
    fmt, fs,
    fs::{File, OpenOptions},
    io::{self, Write},
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};
use tantivy::{
    HasLen,
    directory::{AntiCallToken, FileHandle, OwnedBytes, TerminatingWrite},
};

/// The kinds of files that every segment has, by their endings.
pub const KINDS: [&str; 6] = ["fast", "fieldnorm", "idx", "pos", "store", "term"];
/// The ending of a compound file; it is part of the format on disk.
pub const ENDING: &str = "pack";
/// How a compound file ends.
const MAGIC: &[u8; 8] = b"soukpack";
/// Most bytes of a file that is put into a compound file.
const SMALL: usize = 256 * 1024;

/// Segment and kind of a file that may be in a compound file.
pub fn parts(path: &Path) -> Option<(&str, &str)> {
    path.to_str()?.split_once('.').filter(|(_, kind)| KINDS.contains(kind))
}

/// The compound file of a segment, whether it is there or not.
pub fn path(root: &Path, segment: &str) -> PathBuf {
    root.join(format!("{segment}.{ENDING}"))
}

type Waiting = HashMap<PathBuf, OwnedBytes>;

/// Small files that no commit names yet, and compound files that somebody reads.
#[derive(Default)]
pub struct CompoundFiles {
    waiting: Mutex<Waiting>,
    read: Mutex<HashMap<String, Weak<CompoundFile>>>,
}

impl CompoundFiles {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a file waits for its commit.
    pub fn is_waiting(&self, path: &Path) -> bool {
        self.waiting().contains_key(path)
    }

    /// Forgets a file that waits for its commit; whether there was one.
    pub fn forget(&self, path: &Path) -> bool {
        self.waiting().remove(path).is_some()
    }

    /// A file that is at hand: it waits for its commit, or its compound file is read.
    pub fn at_hand(&self, path: &Path) -> Option<Arc<dyn FileHandle>> {
        let (segment, kind) = parts(path)?;
        if let Some(bytes) = self.waiting().get(path) {
            return Some(Arc::new(bytes.clone()));
        }
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::new(read.get(segment)?.upgrade()?.file(kind)?))
    }

    /// A file of a compound file that is read from the disk; none if the segment has no compound file, or none with such a file.
    ///
    /// # Errors
    /// If the compound file can't be read.
    pub fn load(&self, root: &Path, path: &Path) -> io::Result<Option<Arc<dyn FileHandle>>> {
        let Some((segment, kind)) = parts(path) else { return Ok(None) };
        let compound = match fs::read(self::path(root, segment)) {
            Ok(bytes) => Arc::new(CompoundFile::parse(bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.retain(|_, compound| compound.strong_count() > 0);
        read.insert(segment.to_owned(), Arc::downgrade(&compound));
        Ok(compound.file(kind).map(|file| Arc::new(file) as Arc<dyn FileHandle>))
    }

    /// Writes the compound files of the segments that a commit names and whose files wait.
    ///
    /// # Errors
    /// If the file system fails, or the commit can't be read.
    pub fn write(&self, root: &Path, commit: &[u8]) -> io::Result<()> {
        #[derive(Deserialize)]
        struct Commit {
            segments: Vec<Segment>,
        }
        #[derive(Deserialize)]
        struct Segment {
            segment_id: String,
        }
        let mut by_segment = BTreeMap::<String, Vec<(PathBuf, OwnedBytes)>>::new();
        for (path, bytes) in self.waiting().iter() {
            let segment = parts(path).map(|(segment, _)| segment.to_owned()).unwrap_or_default();
            by_segment.entry(segment).or_default().push((path.clone(), bytes.clone()));
        }
        if by_segment.is_empty() {
            return Ok(());
        }
        let commit: Commit = serde_json::from_slice(commit)?;
        for segment in commit.segments {
            let id = segment.segment_id.replace('-', "");
            let Some(files) = by_segment.remove(&id) else { continue };
            fs::write(path(root, &id), CompoundFile::bytes(&files)?)?;
            // Only now: whoever looks for them meanwhile finds them here.
            let mut waiting = self.waiting();
            files.iter().for_each(|(path, _)| drop(waiting.remove(path)));
        }
        Ok(())
    }
}

/// A compound file in memory: a few small files.
struct CompoundFile {
    bytes: OwnedBytes,
    files: HashMap<String, Range<usize>>,
}

impl CompoundFile {
    /// As they are written.
    fn bytes(files: &[(PathBuf, OwnedBytes)]) -> io::Result<Vec<u8>> {
        let table: Vec<(&str, usize)> =
            files.iter().filter_map(|(path, bytes)| parts(path).map(|(_, kind)| (kind, bytes.len()))).collect();
        let table = serde_json::to_vec(&table)?;
        let mut all: Vec<u8> = files.iter().flat_map(|(_, bytes)| bytes.as_slice()).copied().collect();
        let length = u32::try_from(table.len()).map_err(io::Error::other)?;
        all.extend(table);
        all.extend(length.to_le_bytes());
        all.extend(MAGIC);
        Ok(all)
    }

    fn parse(bytes: Vec<u8>) -> io::Result<Self> {
        let files = Self::table(&bytes)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the compound file's table can't be read"))?;
        Ok(Self { bytes: OwnedBytes::new(bytes), files })
    }

    fn table(bytes: &[u8]) -> Option<HashMap<String, Range<usize>>> {
        let (rest, length) = bytes.strip_suffix(MAGIC)?.split_last_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (files, table) = rest.split_at_checked(rest.len().checked_sub(length)?)?;
        let table: Vec<(String, usize)> = serde_json::from_slice(table).ok()?;
        let mut from = 0_usize;
        let mut ranges = HashMap::new();
        for (kind, length) in table {
            let to = from.checked_add(length).filter(|to| *to <= files.len() && KINDS.contains(&kind.as_str()))?;
            ranges.insert(kind, from..to);
            from = to;
        }
        Some(ranges)
    }

    fn file(self: Arc<Self>, kind: &str) -> Option<PartOfCompound> {
        let bytes = self.bytes.slice(self.files.get(kind)?.clone());
        Some(PartOfCompound { bytes, _compound: self })
    }
}

/// A file of a compound file. While one of them lives, the others are at hand.
struct PartOfCompound {
    bytes: OwnedBytes,
    _compound: Arc<CompoundFile>,
}

impl fmt::Debug for PartOfCompound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartOfCompound({} bytes)", self.bytes.len())
    }
}

impl HasLen for PartOfCompound {
    fn len(&self) -> usize {
        self.bytes.len()
    }
}

impl FileHandle for PartOfCompound {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        Ok(self.bytes.slice(range))
    }
}

/// Writes a file of a segment: into memory, and to the disk once it is not small any more.
pub struct SegmentWriter {
    name: PathBuf,
    root: PathBuf,
    compound: Arc<CompoundFiles>,
    throttle: Throttle,
    memory: Vec<u8>,
    file: Option<File>,
}

impl SegmentWriter {
    /// Nothing is written yet.
    pub fn new(name: &Path, root: &Path, compound: &Arc<CompoundFiles>, throttle: &Throttle) -> Self {
        let (name, root, compound) = (name.to_owned(), root.to_owned(), Arc::clone(compound));
        Self { name, root, compound, throttle: throttle.clone(), memory: Vec::new(), file: None }
    }
}

impl Write for SegmentWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.throttle.rest()?;
        if let Some(file) = &mut self.file {
            return file.write(bytes);
        }
        self.memory.extend_from_slice(bytes);
        if self.memory.len() > SMALL {
            let mut file = create(&self.root.join(&self.name))?;
            file.write_all(&std::mem::take(&mut self.memory))?;
            self.file = Some(file);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for SegmentWriter {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        if self.file.is_none() {
            let bytes = OwnedBytes::new(std::mem::take(&mut self.memory));
            self.compound.waiting().insert(self.name.clone(), bytes);
        }
        Ok(())
    }
}

/// Creates a file that must not be there.
///
/// # Errors
/// If it is there, or the file system fails.
pub fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}
