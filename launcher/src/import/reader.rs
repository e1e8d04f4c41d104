//! The records of a file: NDJSON, a JSON array, CSV or XML, each plain or gzip, in UTF-8, UTF-16 or Windows-1252, told
//! apart by content.

mod array;
mod encoding;
mod lines;
mod table;
mod xml;

use super::{error::ImportError, grouping, mapping::GroupRule, repair::Repairs};
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
    /// What had to be put right to read it.
    pub repairs: Repairs,
}

impl Record {
    /// A record that needed no repair.
    #[must_use]
    pub fn new(line: u64, original: String, fields: Result<Map<String, Value>, String>) -> Self {
        Self { line, original, fields, repairs: Repairs::default() }
    }

    /// A record out of JSON that may not be UTF-8.
    fn parse_bytes(line: u64, bytes: Vec<u8>) -> Self {
        let mut repairs = Repairs::default();
        let text = encoding::text(bytes, "the line", &mut repairs);
        Self { repairs, ..Self::parse(line, text.trim().to_owned()) }
    }

    fn parse(line: u64, original: String) -> Self {
        let fields = match serde_json::from_str(&original) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Err("this is JSON, but not an object of fields".to_owned()),
            Err(error) => Err(format!("this is not JSON: {error}")),
        };
        Self::new(line, original, fields)
    }

    fn bad(line: u64, original: &[u8], reason: impl Into<String>) -> Self {
        let shown = &original[..original.len().min(2_000)];
        Self::new(line, String::from_utf8_lossy(shown).into_owned(), Err(reason.into()))
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
    /// A feed: elements `item`, `entry` or `product`, whose children are the fields.
    Xml,
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
            Format::Xml => Box::new(xml::Items::new(input)),
        };
        Ok(Self { records, read, format })
    }

    /// The same records, rows of one product put together. Reads the whole file.
    ///
    /// # Errors
    /// The file's.
    pub(crate) fn grouped(self, rule: &GroupRule) -> io::Result<Self> {
        let records = grouping::grouped(self.records, rule)?;
        Ok(Self { records: Box::new(records.into_iter().map(Ok)), ..self })
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

/// Takes off gzip and a byte order mark, makes UTF-8 of UTF-16, and looks at the first character that is not white space.
fn recognise(mut file: impl BufRead + Send + 'static) -> io::Result<(Option<Format>, Input)> {
    let input: Input = if file.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        Box::new(BufReader::with_capacity(1 << 18, MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    };
    let mut input = encoding::utf8(input)?;
    let first = input.fill_buf()?.iter().copied().find(|byte| !byte.is_ascii_whitespace());
    let format = first.map(|byte| match byte {
        b'{' => Format::Ndjson,
        b'[' => Format::JsonArray,
        b'<' => Format::Xml,
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
