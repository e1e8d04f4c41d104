//! The log of one partition: record batches one after another in one file, as they came.
//!
//! An append is one write to the file, so what was acknowledged survives the end of the process; it is
//! not forced to disk, so a power failure may take the last of it (docs/decisions/0005 says what then). A batch
//! that was cut off is cut away when the log is opened.

use super::{
    batch::{self, BatchError, HEADER_BYTES, Header},
    producers::{Producers, Verdict},
};
use bytes::Bytes;
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// Distance of the entries of the index, in bytes: a read begins at most so far before its first batch.
const INDEX_EVERY_BYTES: u64 = 16 * 1024;

/// One partition.
#[derive(Debug)]
pub struct Log {
    file: File,
    /// Where the first offset is kept, once records were deleted.
    start: PathBuf,
    state: Mutex<State>,
    /// Whether the last append could not be written.
    failing: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    first_offset: i64,
    next_offset: i64,
    end: u64,
    index: Vec<Entry>,
    producers: Producers,
}

/// Where a batch begins.
#[derive(Debug, Clone, Copy)]
struct Entry {
    base_offset: i64,
    position: u64,
}

/// A batch was not taken.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// It can't be kept.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// One before it is missing.
    #[error("the producer's numbers have a gap")]
    OutOfOrder,
    /// Its producer is out of date.
    #[error("a later life of the producer has written")]
    Fenced,
    /// The file could not be written.
    #[error("the log can't be written: {0}")]
    Io(#[from] io::Error),
}

/// The offset asked for is not in the log.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Before the first or after the next.
    #[error("the offset is outside the log")]
    OutOfRange,
    /// The file could not be read.
    #[error("the log can't be read: {0}")]
    Io(#[from] io::Error),
}

impl Log {
    /// Opens the log at `path`, or begins it; what is cut off or damaged at its end is cut away.
    ///
    /// # Errors
    /// If the file can't be read or written.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let length = file.metadata()?.len();
        let mut state = recover(&mut file, length)?;
        let start = path.with_extension("start");
        state.first_offset = first_offset(&start)?.min(state.next_offset);
        if state.end < length {
            tracing::warn!(file.path = %path.display(), lost_bytes = length - state.end, "the log's end was cut off");
            file.set_len(state.end)?;
        }
        Ok(Self { file, start, state: Mutex::new(state), failing: AtomicBool::new(false) })
    }

    /// The first offset that can be read.
    #[must_use]
    pub fn first_offset(&self) -> i64 {
        self.state().first_offset
    }

    /// Lets go of all records before `offset`, or of all there are where it is -1; gives the first offset that
    /// is left. They can't be read any more; the file keeps its length.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn delete_before(&self, offset: i64) -> Result<i64, ReadError> {
        let mut state = self.state();
        let offset = if offset == -1 { state.next_offset } else { offset };
        if !(0..=state.next_offset).contains(&offset) {
            return Err(ReadError::OutOfRange);
        }
        let first = offset.max(state.first_offset);
        let beside = self.start.with_extension("start.new");
        std::fs::write(&beside, first.to_string())?;
        std::fs::rename(beside, &self.start)?;
        state.first_offset = first;
        Ok(first)
    }

    /// The offset the next record gets.
    #[must_use]
    pub fn next_offset(&self) -> i64 {
        self.state().next_offset
    }

    /// Appends the batches in `records` and gives the offset of the first.
    ///
    /// # Errors
    /// [`AppendError`]; the batches before the one at fault are kept.
    pub fn append(&self, records: &[u8]) -> Result<i64, AppendError> {
        let outcome = self.append_batches(records);
        match &outcome {
            // Producers try again many times a second: it is told when it begins and when it ends.
            Err(AppendError::Io(error)) if !self.failing.swap(true, Ordering::Relaxed) => {
                tracing::error!(%error, file.path = %self.path().display(), "records can't be kept");
            }
            Ok(_) if self.failing.swap(false, Ordering::Relaxed) => {
                tracing::info!(file.path = %self.path().display(), "records are kept again");
            }
            _ => {}
        }
        outcome
    }

    fn path(&self) -> PathBuf {
        self.start.with_extension("log")
    }

    fn append_batches(&self, records: &[u8]) -> Result<i64, AppendError> {
        let mut state = self.state();
        let mut rest = records;
        let mut first = None;
        while !rest.is_empty() {
            let header = Header::checked(rest)?;
            let (bytes, after) = rest.split_at(header.bytes);
            let offset = match state.producers.judge(&header) {
                Verdict::Append => self.write(&mut state, header, bytes)?,
                Verdict::Duplicate(offset) => offset,
                Verdict::OutOfOrder => return Err(AppendError::OutOfOrder),
                Verdict::Fenced => return Err(AppendError::Fenced),
            };
            first.get_or_insert(offset);
            rest = after;
        }
        first.ok_or(AppendError::Batch(BatchError::Short))
    }

    fn write(&self, state: &mut State, mut header: Header, bytes: &[u8]) -> io::Result<i64> {
        header.base_offset = state.next_offset;
        let mut numbered = bytes.to_vec();
        batch::number(&mut numbered, header.base_offset);
        self.file.write_all_at(&numbered, state.end)?;
        state.note(&header);
        Ok(header.base_offset)
    }

    /// The batches from the one that holds `offset` on: whole ones, at most `max_bytes` of them, but
    /// always the first. Empty at the end of the log.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(&self, offset: i64, max_bytes: usize) -> Result<Bytes, ReadError> {
        let (from, end) = {
            let state = self.state();
            if !(state.first_offset..=state.next_offset).contains(&offset) {
                return Err(ReadError::OutOfRange);
            }
            (state.position_before(offset), state.end)
        };
        let ahead = max_bytes.saturating_add(INDEX_EVERY_BYTES as usize).max(HEADER_BYTES);
        let bytes = self.bytes_at(from, end, ahead)?;
        let Some((start, header)) = batches(&bytes).find(|(_, header)| header.last_offset() >= offset) else {
            return Ok(Bytes::new());
        };
        if header.bytes > max_bytes || start + header.bytes > bytes.len() {
            return Ok(self.bytes_at(from + start as u64, end, header.bytes)?);
        }
        let stop = batches(&bytes)
            .map(|(at, header)| at + header.bytes)
            .take_while(|stop| *stop <= bytes.len() && *stop <= start + max_bytes)
            .last()
            .unwrap_or(start);
        Ok(bytes.slice(start..stop))
    }

    /// The first batch with a record of this time or later.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn batch_since(&self, timestamp_ms: i64) -> io::Result<Option<Header>> {
        let end = self.state().end;
        let mut position = 0;
        while position < end {
            let bytes = self.bytes_at(position, end, HEADER_BYTES)?;
            let Ok(header) = Header::parse(&bytes) else { break };
            if header.max_timestamp_ms >= timestamp_ms && header.last_offset() >= self.first_offset() {
                return Ok(Some(header));
            }
            position += header.bytes as u64;
        }
        Ok(None)
    }

    fn bytes_at(&self, position: u64, end: u64, most: usize) -> io::Result<Bytes> {
        let there = usize::try_from(end.saturating_sub(position)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; there.min(most)];
        self.file.read_exact_at(&mut bytes, position)?;
        Ok(bytes.into())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing between two changes of the state can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes note of the batch that now stands at the end.
    fn note(&mut self, header: &Header) {
        let due = self.index.last().is_none_or(|entry| self.end - entry.position >= INDEX_EVERY_BYTES);
        if due {
            self.index.push(Entry { base_offset: header.base_offset, position: self.end });
        }
        self.producers.note(header);
        self.next_offset = header.last_offset() + 1;
        self.end += header.bytes as u64;
    }

    /// A batch's beginning at or before the one that holds the offset.
    fn position_before(&self, offset: i64) -> u64 {
        let after = self.index.partition_point(|entry| entry.base_offset <= offset);
        after.checked_sub(1).map_or(0, |at| self.index[at].position)
    }
}

/// The batches whose headers lie in `bytes`, with where they begin.
fn batches(bytes: &[u8]) -> impl Iterator<Item = (usize, Header)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let header = Header::parse(bytes.get(at..)?).ok()?;
        let found = (at, header);
        at += header.bytes;
        Some(found)
    })
}

/// The first offset as it was kept; 0 where nothing was deleted.
fn first_offset(path: &Path) -> io::Result<i64> {
    match std::fs::read_to_string(path) {
        Ok(text) => text.trim().parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// Reads a log from its beginning to the first thing that is no whole batch.
fn recover(file: &mut File, length: u64) -> io::Result<State> {
    let mut state = State::default();
    file.seek(SeekFrom::Start(0))?;
    let mut reader = io::BufReader::with_capacity(1 << 20, file);
    let mut bytes = Vec::new();
    while length - state.end >= HEADER_BYTES as u64 {
        bytes.resize(HEADER_BYTES, 0);
        reader.read_exact(&mut bytes)?;
        let Ok(header) = Header::parse(&bytes) else { break };
        if header.bytes as u64 > length - state.end {
            break;
        }
        bytes.resize(header.bytes, 0);
        reader.read_exact(&mut bytes[HEADER_BYTES..])?;
        if Header::checked(&bytes).is_err() || header.base_offset != state.next_offset {
            break;
        }
        state.note(&header);
    }
    Ok(state)
}
