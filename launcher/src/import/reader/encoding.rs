//! Files in other encodings than UTF-8: UTF-16, as spreadsheets save it, and Windows-1252, as old programs do.

use super::{
    super::repair::{Repair, Repairs},
    Input,
};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use encoding_rs_io::DecodeReaderBytesBuilder;
use std::io::{self, BufRead, BufReader, Cursor, Read};

/// The same text in UTF-8 and without a byte order mark, if the file is UTF-8 or UTF-16. Bytes that are no UTF-8 are
/// left for [`text`], record by record: files are often written by two programs.
pub(super) fn utf8(mut input: Input) -> io::Result<Input> {
    let encoding = encoding_of(input.fill_buf()?);
    if encoding == UTF_8 {
        if input.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
            input.consume(3);
        }
        return Ok(input);
    }
    let mut decoder = DecodeReaderBytesBuilder::new().encoding(Some(encoding)).bom_override(true).build(input);
    // The decoder may give a few bytes at a time, and what the file is shows in its first line.
    let mut start = Vec::new();
    decoder.by_ref().take(1 << 16).read_to_end(&mut start)?;
    Ok(Box::new(BufReader::with_capacity(1 << 18, Cursor::new(start).chain(decoder))))
}

/// By the byte order mark, or else by where the zero bytes of ASCII letters stand, or by what XML says of itself.
fn encoding_of(start: &[u8]) -> &'static Encoding {
    match start {
        [0xff, 0xfe, ..] => UTF_16LE,
        [0xfe, 0xff, ..] => UTF_16BE,
        [first, 0, third, 0, ..] if *first != 0 && *third != 0 => UTF_16LE,
        [0, second, 0, fourth, ..] if *second != 0 && *fourth != 0 => UTF_16BE,
        _ => declared(start).unwrap_or(UTF_8),
    }
}

/// `<?xml version="1.0" encoding="ISO-8859-1"?>`
fn declared(start: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&start[..start.len().min(200)]);
    let (declaration, _) = head.trim_start_matches('\u{feff}').strip_prefix("<?xml")?.split_once("?>")?;
    let (_, value) = declaration.split_once("encoding=")?;
    let label = value.trim_start_matches(['"', '\'']).split(['"', '\'']).next()?;
    // What was decoded from UTF-16 before it came here says so still, and is UTF-8 by now.
    Encoding::for_label(label.as_bytes()).filter(|encoding| *encoding != UTF_16LE && *encoding != UTF_16BE)
}

/// A record's bytes as text; what is not UTF-8 is Windows-1252, which can spell any bytes.
pub(super) fn text(bytes: Vec<u8>, field: &str, repairs: &mut Repairs) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| {
        let (text, _, _) = WINDOWS_1252.decode(error.as_bytes());
        repairs.note(Repair::Encoding, field, &String::from_utf8_lossy(error.as_bytes()), &text);
        text.into_owned()
    })
}
