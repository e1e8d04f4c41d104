//! NDJSON: one JSON object a line, empty lines skipped.

use super::{Input, MAX_RECORD_BYTES, Record};
use std::io::{self, BufRead, Read};

pub(super) struct Lines {
    input: Input,
    line: u64,
}

impl Lines {
    pub(super) fn new(input: Input) -> Self {
        Self { input, line: 0 }
    }

    /// The next line without its end; `None` at the end of the file.
    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::with_capacity(4096);
        let limit = MAX_RECORD_BYTES as u64 + 1;
        if self.input.by_ref().take(limit).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        self.line += 1;
        if bytes.len() > MAX_RECORD_BYTES && !bytes.ends_with(b"\n") {
            self.input.skip_until(b'\n')?;
        }
        Ok(Some(bytes))
    }

    fn record(&self, bytes: Vec<u8>) -> Record {
        if bytes.len() > MAX_RECORD_BYTES {
            return Record::bad(self.line, &bytes, format!("the line is longer than {MAX_RECORD_BYTES} bytes"));
        }
        Record::parse_bytes(self.line, bytes)
    }
}

impl Iterator for Lines {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.next_line() {
                Ok(Some(bytes)) if bytes.trim_ascii().is_empty() => {}
                Ok(Some(bytes)) => return Some(Ok(self.record(bytes))),
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
