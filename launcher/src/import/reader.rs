//! Reads records out of a file: NDJSON, a JSON array or CSV, each plain or gzip, told apart by content.

mod array;
mod lines;
mod table;

use super::error::ImportError;
use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// A record longer than this is rejected, so that a file without line ends can't fill the memory.
const MAX_RECORD_BYTES: usize = 8 << 20;

/// One record as it stands in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The line it starts at, from 1.
    pub line: u64,
    /// The text of it, for the file of rejected lines.
    pub original: String,
    /// Its fields, or why it has none.
    pub fields: Result<Map<String, Value>, String>,
}

impl Record {
    fn parse(line: u64, original: String) -> Self {
        let fields = match serde_json::from_str(&original) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Err("this is JSON, but not an object of fields".to_owned()),
            Err(error) => Err(format!("this is not JSON: {error}")),
        };
        Self { line, original, fields }
    }

    fn bad(line: u64, original: &[u8], reason: impl Into<String>) -> Self {
        let shown = &original[..original.len().min(2_000)];
        Self { line, original: String::from_utf8_lossy(shown).into_owned(), fields: Err(reason.into()) }
    }
}

/// How the records are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    /// One JSON array of objects.
    JsonArray,
    /// Comma, semicolon or tab separated, the first line names the fields.
    Csv,
}

/// An open file of records.
pub struct Records {
    records: Box<dyn Iterator<Item = io::Result<Record>> + Send>,
    read: Arc<AtomicU64>,
    /// What was recognised.
    pub format: Format,
}

impl Records {
    /// Opens a file and recognises what it holds.
    ///
    /// # Errors
    /// If it can't be read or is empty.
    pub fn open(path: &Path) -> Result<Self, ImportError> {
        let read = Arc::new(AtomicU64::new(0));
        let file = File::open(path).map_err(ImportError::reading(path))?;
        let file = BufReader::with_capacity(1 << 18, Counted { inner: file, read: Arc::clone(&read) });
        let (format, input) = recognise(file).map_err(ImportError::reading(path))?;
        let format = format.ok_or_else(|| ImportError::Empty(path.to_owned()))?;
        let records: Box<dyn Iterator<Item = io::Result<Record>> + Send> = match format {
            Format::Ndjson => Box::new(lines::Lines::new(input)),
            Format::JsonArray => Box::new(array::Elements::new(input)),
            Format::Csv => Box::new(table::Rows::new(input).map_err(ImportError::reading(path))?),
        };
        Ok(Self { records, read, format })
    }

    /// Bytes of the file taken in so far, before any decompression.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}

impl Iterator for Records {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        self.records.next()
    }
}

type Input = Box<dyn BufRead + Send>;

/// Takes off gzip and a byte order mark, and looks at the first character that is not white space.
fn recognise(mut file: impl BufRead + Send + 'static) -> io::Result<(Option<Format>, Input)> {
    let mut input: Input = if file.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        Box::new(BufReader::with_capacity(1 << 18, MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    };
    if input.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
        input.consume(3);
    }
    let first = input.fill_buf()?.iter().copied().find(|byte| !byte.is_ascii_whitespace());
    let format = first.map(|byte| match byte {
        b'{' => Format::Ndjson,
        b'[' => Format::JsonArray,
        _ => Format::Csv,
    });
    Ok((format, input))
}

struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        self.read.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests;
