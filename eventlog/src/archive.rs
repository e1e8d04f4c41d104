//! The archive of outboxes: files of rows that are in no table any more.
//!
//! One file holds rows of one context and month in the order of their ids: gzip, a JSON object a line
//! (<https://github.com/ndjson/ndjson-spec>), a key for each column of the outbox. Its name has the beginning of the
//! SHA-256 of what it holds, so that a file is never written over with another content. What must be there stands in
//! `installation.archives` in the write database; `manifest.json` beside the files says the same for people and for other tools.

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use schemas::{NaiveDate, Timestamp, Uuid};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

/// Why rows can't be archived, or not be had back.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A file that the database names is not in the folder.
    #[error("the archive file {0} is missing; bring it back from where the archive folder is backed up")]
    Missing(PathBuf),
    /// A file does not hold what the database says of it.
    #[error("the archive file {0} is damaged: {1}; bring it back from where the archive folder is backed up")]
    Damaged(PathBuf, String),
    /// The folder can't be read or written.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// The database's.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// A row of an outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the outbox, by their names")]
pub struct ArchivedRow {
    pub id: i64,
    pub event_id: Uuid,
    pub tenant_id: Uuid,
    pub event_type: String,
    pub aggregate: String,
    pub aggregate_id: Uuid,
    pub version: i64,
    pub partition_id: Uuid,
    pub payload: String,
    pub occurred_at: Timestamp,
    pub correlation_id: String,
    pub causation_id: Option<String>,
    pub traceparent: Option<String>,
    pub published_at: Option<Timestamp>,
    pub topic: Option<String>,
    pub partition: Option<i32>,
    pub record_offset: Option<i64>,
}

/// The columns of [`ArchivedRow`], as they are selected and inserted.
pub const COLUMNS: &str = "id, event_id, tenant_id, event_type, aggregate, aggregate_id, version, partition_id, payload, \
                           occurred_at, correlation_id, causation_id, traceparent, published_at, topic, partition, record_offset";

/// A file and what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct ArchiveFile {
    /// Its path in the archive folder.
    pub file: String,
    /// The context whose outbox it is of.
    pub context: String,
    /// The first day of the month its rows are of.
    pub month: NaiveDate,
    /// How many.
    pub rows: i64,
    /// The lowest id.
    pub first_id: i64,
    /// The highest id.
    pub last_id: i64,
    /// Its length.
    pub bytes: i64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
}

/// Writes one file; nothing has its name before it is whole and on the disk.
pub struct Writer {
    folder: PathBuf,
    context: String,
    month: NaiveDate,
    draft: PathBuf,
    out: GzEncoder<BufWriter<File>>,
    rows: i64,
    ids: Option<(i64, i64)>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("draft", &self.draft).field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Writer {
    /// Begins a file of a context's month in the archive folder.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn begin(folder: &Path, context: &str, month: NaiveDate) -> Result<Self, ArchiveError> {
        let of_context = folder.join(context);
        fs::create_dir_all(&of_context).map_err(at(&of_context))?;
        // What a process that died has left is written over.
        let draft = of_context.join(format!("{}.draft", month.format("%Y-%m")));
        let file = File::create(&draft).map_err(at(&draft))?;
        let out = GzEncoder::new(BufWriter::new(file), Compression::default());
        Ok(Self { folder: folder.to_owned(), context: context.to_owned(), month, draft, out, rows: 0, ids: None })
    }

    /// Adds a row; their ids rise.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn push(&mut self, row: &ArchivedRow) -> Result<(), ArchiveError> {
        serde_json::to_writer(&mut self.out, row).map_err(io::Error::from).map_err(at(&self.draft))?;
        self.out.write_all(b"\n").map_err(at(&self.draft))?;
        self.rows += 1;
        self.ids = Some((self.ids.map_or(row.id, |(first, _)| first), row.id));
        Ok(())
    }

    /// Brings the file to the disk, reads it back, and gives it its name; none if it has no rows.
    ///
    /// # Errors
    /// If it can't be written or does not read as it was written.
    pub fn finish(self) -> Result<Option<ArchiveFile>, ArchiveError> {
        let Self { folder, context, month, draft, out, rows, ids } = self;
        let file = out.finish().and_then(|out| out.into_inner().map_err(io::IntoInnerError::into_error));
        file.and_then(|file| file.sync_all()).map_err(at(&draft))?;
        let Some((first_id, last_id)) = ids else {
            fs::remove_file(&draft).map_err(at(&draft))?;
            return Ok(None);
        };
        let (sha256, bytes) = hash(&draft)?;
        let name = format!("{}-{first_id}-{last_id}-{}.ndjson.gz", month.format("%Y-%m"), &sha256[..12]);
        let file =
            ArchiveFile { file: format!("{context}/{name}"), context, month, rows, first_id, last_id, bytes, sha256 };
        file.check_rows(&draft)?;
        let path = file.path(&folder);
        fs::rename(&draft, &path).map_err(at(&path))?;
        for folder in path.ancestors().skip(1).take(2) {
            sync(folder)?;
        }
        Ok(Some(file))
    }
}

impl ArchiveFile {
    /// Where it lies.
    #[must_use]
    pub fn path(&self, folder: &Path) -> PathBuf {
        folder.join(&self.file)
    }

    /// Whether it is there and every byte of it is as it was written.
    ///
    /// # Errors
    /// [`ArchiveError::Missing`] and [`ArchiveError::Damaged`] name the file.
    pub fn check(&self, folder: &Path) -> Result<(), ArchiveError> {
        let path = self.path(folder);
        let (sha256, bytes) = hash(&path)?;
        if sha256 == self.sha256 {
            return Ok(());
        }
        let what = format!("it has {bytes} bytes with the SHA-256 {sha256}, not {} with {}", self.bytes, self.sha256);
        Err(ArchiveError::Damaged(path, what))
    }

    /// Its rows, in the order of their ids.
    ///
    /// # Errors
    /// [`ArchiveError::Missing`], and for each row [`ArchiveError::Damaged`].
    pub fn rows(
        &self,
        folder: &Path,
    ) -> Result<impl Iterator<Item = Result<ArchivedRow, ArchiveError>> + use<>, ArchiveError> {
        rows(&self.path(folder))
    }

    /// Reads a draft back as it is going to be read one day.
    fn check_rows(&self, path: &Path) -> Result<(), ArchiveError> {
        let (mut found, mut last) = (0, i64::MIN);
        for row in rows(path)? {
            let row = row?;
            if row.id <= last {
                return Err(ArchiveError::Damaged(path.to_owned(), format!("the id {} comes after {last}", row.id)));
            }
            (found, last) = (found + 1, row.id);
        }
        if (found, last) == (self.rows, self.last_id) {
            return Ok(());
        }
        let what =
            format!("{found} rows up to the id {last} can be read, {} up to {} were written", self.rows, self.last_id);
        Err(ArchiveError::Damaged(path.to_owned(), what))
    }
}

/// Writes what is archived of a context beside its files.
///
/// # Errors
/// If the folder can't be written.
pub fn write_manifest(folder: &Path, context: &str, files: &[ArchiveFile]) -> Result<(), ArchiveError> {
    let path = folder.join(context).join("manifest.json");
    let draft = path.with_extension("draft");
    let text = serde_json::to_string_pretty(files).map_err(io::Error::from).map_err(at(&path))?;
    let written =
        File::create(&draft).and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.and_then(|()| fs::rename(&draft, &path)).map_err(at(&path))?;
    sync(&folder.join(context))
}

fn rows(path: &Path) -> Result<impl Iterator<Item = Result<ArchivedRow, ArchiveError>> + use<>, ArchiveError> {
    let file = open(path)?;
    let path = path.to_owned();
    let lines = BufReader::new(GzDecoder::new(BufReader::new(file))).lines();
    Ok(lines.map(move |line| {
        let damaged = |why: String| ArchiveError::Damaged(path.clone(), why);
        let line = line.map_err(|error| damaged(error.to_string()))?;
        serde_json::from_str(&line).map_err(|error| damaged(error.to_string()))
    }))
}

fn open(path: &Path) -> Result<File, ArchiveError> {
    File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => ArchiveError::Missing(path.to_owned()),
        _ => ArchiveError::Io(path.to_owned(), error),
    })
}

/// A file's SHA-256 in hexadecimal, and its length.
fn hash(path: &Path) -> Result<(String, i64), ArchiveError> {
    let mut file = open(path)?;
    let (mut hasher, mut buffer, mut bytes) = (Sha256::new(), vec![0; 1 << 16], 0);
    loop {
        let read = file.read(&mut buffer).map_err(at(path))?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        bytes += i64::try_from(read).unwrap_or_default();
    }
    Ok((hex::encode(hasher.finalize()), bytes))
}

/// Brings the names in a folder to the disk.
fn sync(folder: &Path) -> Result<(), ArchiveError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}

fn at(path: &Path) -> impl Fn(io::Error) -> ArchiveError {
    let path = path.to_owned();
    move |error| ArchiveError::Io(path.clone(), error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(id: i64, payload: &str) -> ArchivedRow {
        ArchivedRow {
            id,
            event_id: Uuid::from_u128(1),
            tenant_id: Uuid::from_u128(2),
            event_type: "catalog.product_created.v1".to_owned(),
            aggregate: "product".to_owned(),
            aggregate_id: Uuid::from_u128(3),
            version: 1,
            partition_id: Uuid::from_u128(3),
            payload: payload.to_owned(),
            occurred_at: Timestamp::from_timestamp_micros(1_790_000_000_123_456).expect("a time"),
            correlation_id: "c".to_owned(),
            causation_id: None,
            traceparent: None,
            published_at: Timestamp::from_timestamp_micros(1_790_000_001_654_321),
            topic: Some("souk.catalog.v1".to_owned()),
            partition: Some(3),
            record_offset: Some(17),
        }
    }

    fn written(folder: &Path, rows: &[ArchivedRow]) -> ArchiveFile {
        let month = NaiveDate::from_ymd_opt(2026, 9, 1).expect("a day");
        let mut writer = Writer::begin(folder, "catalog", month).expect("begun");
        rows.iter().for_each(|row| writer.push(row).expect("written"));
        writer.finish().expect("finished").expect("a file")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn what_is_written_is_read(payloads in proptest::collection::vec(".*", 1..20)) {
            let folder = tempfile::tempdir().expect("a folder");
            let rows: Vec<_> = (1..).zip(&payloads).map(|(id, payload)| row(id * 3, payload)).collect();
            let file = written(folder.path(), &rows);
            prop_assert!(file.check(folder.path()).is_ok());
            let read: Vec<_> = file.rows(folder.path()).expect("open").map(|row| row.expect("a row")).collect();
            prop_assert_eq!(read, rows);
        }
    }

    #[test]
    fn a_file_says_what_it_holds_and_writing_it_again_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let rows = [row(4, "{}"), row(9, "{\"a\": 1}")];
        let file = written(folder.path(), &rows);
        assert_eq!((file.rows, file.first_id, file.last_id), (2, 4, 9));
        assert!(file.file.starts_with("catalog/2026-09-4-9-"), "{}", file.file);
        assert_eq!(written(folder.path(), &rows), file);
        let names: Vec<_> = fs::read_dir(folder.path().join("catalog")).expect("listed").collect();
        assert_eq!(names.len(), 1, "no draft is left: {names:?}");
        let other = written(folder.path(), &[row(4, "{}"), row(9, "other")]);
        assert_ne!(other.file, file.file, "another content has another name");
        assert!(file.check(folder.path()).is_ok());
    }

    #[test]
    fn a_missing_and_a_damaged_file_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = written(folder.path(), &[row(1, "{}")]);
        let path = file.path(folder.path());
        let mut bytes = fs::read(&path).expect("read");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, &bytes).expect("written");
        let damaged = file.check(folder.path()).expect_err("damaged").to_string();
        assert!(damaged.contains(&file.file) && damaged.contains("damaged"), "{damaged}");
        fs::remove_file(&path).expect("removed");
        let missing = file.check(folder.path()).expect_err("missing").to_string();
        assert!(missing.contains(&file.file) && missing.contains("missing"), "{missing}");
    }

    #[test]
    fn rows_out_of_order_are_not_archived() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = Writer::begin(folder.path(), "catalog", NaiveDate::default()).expect("begun");
        for id in [2, 1] {
            writer.push(&row(id, "{}")).expect("written");
        }
        assert!(matches!(writer.finish(), Err(ArchiveError::Damaged(..))));
    }
}
