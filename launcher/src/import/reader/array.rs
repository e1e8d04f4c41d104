//! A JSON array of objects, taken apart element by element, so that it never stands in memory whole.

use super::{Input, MAX_RECORD_BYTES, Record};
use std::io::{self, BufRead};

pub(super) struct Elements {
    input: Input,
    line: u64,
    state: State,
}

#[derive(PartialEq)]
enum State {
    BeforeArray,
    Inside,
    Done,
}

/// Where the scan stands inside one element.
#[derive(Default)]
struct Scan {
    text: Vec<u8>,
    start: u64,
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    /// Takes in one byte; true when the byte ends the element and is not part of it.
    fn take(&mut self, byte: u8, line: u64) -> bool {
        if self.text.is_empty() {
            if byte.is_ascii_whitespace() {
                return false;
            }
            self.start = line;
        }
        if self.depth == 0 && !self.in_string && matches!(byte, b',' | b']') {
            return true;
        }
        // What is too long is counted on, not kept: one byte more than allowed is enough to see it.
        if self.text.len() <= MAX_RECORD_BYTES {
            self.text.push(byte);
        }
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        false
    }

    fn record(self) -> Record {
        if self.text.len() > MAX_RECORD_BYTES {
            return Record::bad(self.start, &self.text, format!("it is longer than {MAX_RECORD_BYTES} bytes"));
        }
        Record::parse_bytes(self.start, self.text)
    }
}

impl Elements {
    pub(super) fn new(input: Input) -> Self {
        Self { input, line: 1, state: State::BeforeArray }
    }

    fn next_byte(&mut self) -> io::Result<Option<u8>> {
        let Some(byte) = self.input.fill_buf()?.first().copied() else { return Ok(None) };
        self.input.consume(1);
        self.line += u64::from(byte == b'\n');
        Ok(Some(byte))
    }

    fn next_element(&mut self) -> io::Result<Option<Record>> {
        let mut scan = Scan::default();
        while let Some(byte) = self.next_byte()? {
            match self.state {
                State::Done => {}
                State::BeforeArray if byte == b'[' => self.state = State::Inside,
                State::BeforeArray => {}
                State::Inside => {
                    if scan.take(byte, self.line) {
                        if byte == b']' {
                            self.state = State::Done;
                        }
                        if !scan.text.is_empty() {
                            return Ok(Some(scan.record()));
                        }
                    }
                }
            }
        }
        if scan.text.is_empty() && self.state == State::Done {
            return Ok(None);
        }
        self.state = State::Done;
        let mut cut = scan.record();
        cut.fields = Err("the JSON array ends early: its closing bracket is missing".to_owned());
        Ok(Some(cut))
    }
}

impl Iterator for Elements {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_element().transpose()
    }
}
