//! Cutting a stream of bytes into lines.

use bytes::{Bytes, BytesMut};

/// The most bytes of a line.
pub(crate) const MAX_LINE_BYTES: usize = 1 << 20;

/// A line, or that it was too long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Text(Bytes),
    TooLong,
}

/// Bytes that came, not yet all cut. Holds no more than a line and one piece of the stream.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    buffer: BytesMut,
    /// Bytes at the start of the buffer that hold no line end.
    scanned: usize,
    /// The line that is being skipped was too long.
    skipping: bool,
    number: u64,
}

impl Lines {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole line with its number, from 1; blank lines are counted and left out.
    pub(crate) fn take(&mut self) -> Option<(u64, Line)> {
        loop {
            let Some(at) = self.buffer[self.scanned..].iter().position(|byte| *byte == b'\n') else {
                self.scanned = self.buffer.len();
                if self.scanned > MAX_LINE_BYTES {
                    self.skipping = true;
                }
                if self.skipping {
                    self.buffer.clear();
                    self.scanned = 0;
                }
                return None;
            };
            let line = self.buffer.split_to(self.scanned + at + 1).freeze();
            self.scanned = 0;
            if let Some(line) = self.cut(line) {
                return Some(line);
            }
        }
    }

    /// The last line, if the stream did not end with a line end.
    pub(crate) fn rest(&mut self) -> Option<(u64, Line)> {
        let rest = self.buffer.split().freeze();
        self.scanned = 0;
        if rest.is_empty() && !self.skipping { None } else { self.cut(rest) }
    }

    fn cut(&mut self, line: Bytes) -> Option<(u64, Line)> {
        self.number += 1;
        if std::mem::take(&mut self.skipping) || line.len() > MAX_LINE_BYTES + 1 {
            return Some((self.number, Line::TooLong));
        }
        let is_blank = line.trim_ascii().is_empty();
        (!is_blank).then_some((self.number, Line::Text(line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pieces: &[&[u8]]) -> Vec<(u64, Line)> {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        for piece in pieces {
            lines.push(piece);
            found.extend(std::iter::from_fn(|| lines.take()));
        }
        found.extend(lines.rest());
        found
    }

    #[test]
    fn lines_are_cut_wherever_the_pieces_end() {
        let text = |number, text: &'static str| (number, Line::Text(Bytes::from_static(text.as_bytes())));
        assert_eq!(all(&[b"a\nb", b"b\n\n", b"c"]), [text(1, "a\n"), text(2, "bb\n"), text(4, "c")]);
        assert_eq!(all(&[b"", b"\n"]), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_the_next_is_read() {
        let long = vec![b'x'; MAX_LINE_BYTES / 2 + 1];
        let found = all(&[&long, &long, &long, b"x\nok\n"]);
        assert_eq!(found[0], (1, Line::TooLong));
        assert_eq!(found[1], (2, Line::Text(Bytes::from_static(b"ok\n"))));
    }
}
