//! CSV: the first line names the fields; comma, semicolon, tab or bar, whichever that line has most.

use super::{Input, Record};
use serde_json::Value;
use std::io::{self, BufRead};

pub(super) struct Rows {
    rows: csv::ByteRecordsIntoIter<Input>,
    names: Vec<String>,
    delimiter: u8,
}

impl Rows {
    pub(super) fn new(mut input: Input) -> io::Result<Self> {
        let delimiter = delimiter_of(input.fill_buf()?);
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(input);
        let names = reader.headers()?.iter().map(|name| name.trim().to_owned()).collect();
        Ok(Self { rows: reader.into_byte_records(), names, delimiter })
    }

    fn record(&self, row: &csv::ByteRecord) -> Record {
        let line = row.position().map_or(0, csv::Position::line);
        let original = self.written(row);
        if row.len() != self.names.len() {
            let reason = format!("the row has {} columns, the first line names {}", row.len(), self.names.len());
            return Record::bad(line, &original, reason);
        }
        let Ok(original) = String::from_utf8(original) else {
            return Record::bad(line, &self.written(row), "the row is not UTF-8");
        };
        let values = row.iter().map(|value| Value::String(String::from_utf8_lossy(value).into_owned()));
        Record { line, original, fields: Ok(self.names.iter().cloned().zip(values).collect()) }
    }

    /// The row as CSV again.
    fn written(&self, row: &csv::ByteRecord) -> Vec<u8> {
        let mut writer = csv::WriterBuilder::new().delimiter(self.delimiter).flexible(true).from_writer(Vec::new());
        // Writing into memory can't fail.
        let _ = writer.write_byte_record(row);
        writer.into_inner().unwrap_or_default().trim_ascii_end().to_vec()
    }
}

fn delimiter_of(start: &[u8]) -> u8 {
    let header = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| header.iter().filter(|byte| **byte == delimiter).count();
    [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

impl Iterator for Rows {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(match self.rows.next()? {
            Ok(row) => Ok(self.record(&row)),
            Err(error) => Err(error.into()),
        })
    }
}
