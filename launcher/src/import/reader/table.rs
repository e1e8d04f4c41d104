//! CSV: the first line names the fields; comma, semicolon, tab or bar, whichever that line has most.

use super::{
    super::repair::{Repair, Repairs},
    Input, Record, encoding,
};
use serde_json::Value;
use std::io::{self, BufRead};

pub(super) struct Rows {
    reader: csv::Reader<LineEnds>,
    row: csv::ByteRecord,
    names: Vec<String>,
    delimiter: u8,
}

impl Rows {
    pub(super) fn new(mut input: Input) -> io::Result<Self> {
        let delimiter = delimiter_of(input.fill_buf()?);
        let input = LineEnds { input, after_return: false, last: b'\n' };
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(input);
        let header = reader.byte_headers()?.iter().map(<[u8]>::to_vec).collect::<Vec<_>>();
        let name = |name| encoding::text(name, "", &mut Repairs::default()).trim().to_owned();
        let names = header.into_iter().map(name).collect();
        Ok(Self { reader, row: csv::ByteRecord::new(), names, delimiter })
    }

    /// The line on which the row just read begins. The reader stands behind it, and empty lines may have come before it.
    fn line_of(&self, row: &csv::ByteRecord) -> u64 {
        let inside = row.iter().flatten().filter(|byte| **byte == b'\n').count() as u64;
        self.reader.position().line().saturating_sub(inside + 1)
    }

    fn record(&self, row: &csv::ByteRecord) -> Record {
        let line = self.line_of(row);
        let mut repairs = Repairs::default();
        let original = encoding::text(self.written(row), "the row", &mut repairs);
        let surplus = row.iter().skip(self.names.len()).any(|value| !value.trim_ascii().is_empty());
        if surplus {
            let reason = format!("the row has {} columns, the first line names {}", row.len(), self.names.len());
            return Record::bad(line, original.as_bytes(), reason);
        }
        if row.len() != self.names.len() {
            let columns = |count: usize| format!("{count} columns");
            repairs.note(Repair::Columns, "the row", &columns(row.len()), &columns(self.names.len()));
        }
        let text = |value: &[u8]| encoding::text(value.to_vec(), "", &mut Repairs::default());
        let values = row.iter().map(text).chain(std::iter::repeat_with(String::new)).map(Value::String);
        Record { repairs, ..Record::new(line, original, Ok(self.names.iter().cloned().zip(values).collect())) }
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
        match self.reader.read_byte_record(&mut self.row) {
            Ok(true) => Some(Ok(self.record(&self.row))),
            Ok(false) => None,
            Err(error) => Some(Err(error.into())),
        }
    }
}

/// Makes every line end, of Windows and of old Macs, a line feed, and puts one at the end of the file: so that lines are
/// counted as editors count them.
struct LineEnds {
    input: Input,
    after_return: bool,
    last: u8,
}

impl io::Read for LineEnds {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.input.read(buffer)?;
            if read == 0 {
                let Some(place) = buffer.first_mut().filter(|_| self.last != b'\n') else { return Ok(0) };
                (*place, self.last) = (b'\n', b'\n');
                return Ok(1);
            }
            let mut kept = 0;
            for at in 0..read {
                let byte = buffer[at];
                let follows = std::mem::replace(&mut self.after_return, byte == b'\r');
                if byte == b'\n' && follows {
                    continue;
                }
                buffer[kept] = if byte == b'\r' { b'\n' } else { byte };
                self.last = buffer[kept];
                kept += 1;
            }
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}
