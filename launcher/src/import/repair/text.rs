//! Mends texts: what was read in a wrong encoding, entities, control characters, space, length.

use super::{Repair, Repairs};
use serde_json::{Map, Value};

/// Characters of Windows-1252 at 0x80 to 0x9f; 0x81, 0x8d, 0x8f, 0x90 and 0x9d are not assigned.
/// Source: WHATWG Encoding, index windows-1252.
const WINDOWS_1252: [Option<char>; 32] = [
    Some('€'),
    None,
    Some('‚'),
    Some('ƒ'),
    Some('„'),
    Some('…'),
    Some('†'),
    Some('‡'),
    Some('ˆ'),
    Some('‰'),
    Some('Š'),
    Some('‹'),
    Some('Œ'),
    None,
    Some('Ž'),
    None,
    None,
    Some('‘'),
    Some('’'),
    Some('“'),
    Some('”'),
    Some('•'),
    Some('–'),
    Some('—'),
    Some('˜'),
    Some('™'),
    Some('š'),
    Some('›'),
    Some('œ'),
    None,
    Some('ž'),
    Some('Ÿ'),
];

/// UTF-8 read as Windows-1252 more often than this is not undone.
const ROUNDS: usize = 3;

/// Mends the encoding of every text in a record.
pub(crate) fn decode_record(fields: &mut Map<String, Value>, repairs: &mut Repairs) {
    for (name, value) in fields.iter_mut() {
        decode_value(name, value, repairs);
    }
}

fn decode_value(name: &str, value: &mut Value, repairs: &mut Repairs) {
    match value {
        Value::String(text) => {
            if let Some(right) = in_right_encoding(text) {
                repairs.note(Repair::Encoding, name, text, &right);
                *text = right;
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| decode_value(name, value, repairs)),
        Value::Object(members) => members.iter_mut().for_each(|(name, value)| decode_value(name, value, repairs)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The text in its right encoding, if it was read in a wrong one: UTF-8 taken for Windows-1252 (`CafÃ©`), and bytes of
/// Windows-1252 taken for Latin-1 (U+0094 for `”`).
pub(crate) fn in_right_encoding(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let mut now = text.to_owned();
    for _ in 0..ROUNDS {
        match undone_once(&now) {
            Some(next) => now = next,
            None => break,
        }
    }
    if now.chars().any(is_c1) {
        now = now.chars().map(|letter| from_c1(letter).unwrap_or(letter)).collect();
    }
    (now != text).then_some(now)
}

fn is_c1(letter: char) -> bool {
    ('\u{80}'..='\u{9f}').contains(&letter)
}

fn from_c1(letter: char) -> Option<char> {
    is_c1(letter).then(|| WINDOWS_1252[(letter as usize) - 0x80]).flatten()
}

/// The byte that a character stands for in Windows-1252 or Latin-1; none for ASCII, which is right either way.
fn byte_of(letter: char) -> Option<u8> {
    match u32::from(letter) {
        code @ 0x80..=0xff => u8::try_from(code).ok(),
        _ => {
            let at = WINDOWS_1252.iter().position(|known| *known == Some(letter))?;
            u8::try_from(0x80 + at).ok()
        }
    }
}

/// A piece that is UTF-8 when its characters are taken for bytes: its length in characters, and what it means.
fn piece(letters: &[char]) -> Option<(usize, char)> {
    let lead = byte_of(*letters.first()?)?;
    let length = match lead {
        0xc2..=0xdf => 2,
        0xe1..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let bytes: Vec<u8> = letters.get(..length)?.iter().map_while(|letter| byte_of(*letter)).collect();
    let mut meant = std::str::from_utf8(&bytes).ok().filter(|_| bytes.len() == length)?.chars();
    Some((length, meant.next()?))
}

/// Leads of two characters that hardly ever stand before such a character in a right text; others (`Ä“` may end a
/// German quotation) are only believed where there are several.
fn is_telling(letters: &[char]) -> bool {
    letters.len() > 2 || matches!(letters.first(), Some('Ã' | 'Â'))
}

fn undone_once(text: &str) -> Option<String> {
    let letters: Vec<char> = text.chars().collect();
    let (mut found, mut telling, mut at) = (Vec::new(), false, 0);
    while at < letters.len() {
        match piece(&letters[at..]) {
            Some((length, meant)) => {
                telling |= is_telling(&letters[at..at + length]);
                found.push((at, length, meant));
                at += length;
            }
            None => at += 1,
        }
    }
    if found.is_empty() || (!telling && found.len() < 2) {
        return None;
    }
    let mut right = String::with_capacity(text.len());
    let mut begin = 0;
    for (at, length, meant) in found {
        right.extend(&letters[begin..at]);
        right.push(meant);
        begin = at + length;
    }
    right.extend(&letters[begin..]);
    Some(right)
}

/// A text of one line: entities decoded, nothing that has no width, single spaces, at most `max` characters.
pub(crate) fn line(field: &str, text: &str, max: usize, repairs: &mut Repairs) -> String {
    let decoded = entities(field, text, repairs);
    let mut controls = false;
    let mut clean = String::with_capacity(decoded.len());
    for letter in decoded.chars() {
        if letter.is_whitespace() {
            if !clean.is_empty() && !clean.ends_with(' ') {
                clean.push(' ');
            }
        } else if letter.is_control() || has_no_width(letter) {
            controls = true;
        } else {
            clean.push(letter);
        }
    }
    clean.truncate(clean.trim_end().len());
    if controls {
        repairs.note(Repair::Controls, field, &decoded, &clean);
    } else if clean != decoded {
        repairs.note(Repair::Spaces, field, &decoded, &clean);
    }
    cut(field, clean, max, repairs)
}

/// A text of several lines that may be HTML: only what PostgreSQL can't keep and what nobody reads is taken out.
pub(crate) fn prose(field: &str, text: &str, max: usize, repairs: &mut Repairs) -> String {
    let unwanted = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t');
    let clean = if text.chars().any(unwanted) {
        let clean: String = text.chars().filter(|letter| !unwanted(*letter)).collect();
        repairs.note(Repair::Controls, field, text, &clean);
        clean
    } else {
        text.to_owned()
    };
    cut(field, clean, max, repairs)
}

/// Characters that nobody sees and that keep words from being found. The joiners U+200C and U+200D belong to scripts
/// and to emoji.
fn has_no_width(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}')
}

fn cut(field: &str, text: String, max: usize, repairs: &mut Repairs) -> String {
    if text.len() <= max {
        return text;
    }
    match text.char_indices().nth(max) {
        None => text,
        Some((end, _)) => {
            let short = text[..end].trim_end().to_owned();
            repairs.note(Repair::Cut, field, &text, &short);
            short
        }
    }
}

/// The text with its HTML entities decoded. Only those that end in a semicolon: `R&D` and `bed &parents` are none.
pub(crate) fn entities(field: &str, text: &str, repairs: &mut Repairs) -> String {
    let mut now = text.to_owned();
    for _ in 0..ROUNDS {
        match entities_once(&now) {
            Some(next) => now = next,
            None => break,
        }
    }
    if now != text {
        repairs.note(Repair::Entities, field, text, &now);
    }
    now
}

fn entities_once(text: &str) -> Option<String> {
    let mut decoded = String::with_capacity(text.len());
    let (mut rest, mut changed) = (text, false);
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let inside = |letter: char| letter.is_ascii_alphanumeric() || letter == '#';
        let end = rest[1..].find(|letter| !inside(letter)).map_or(rest.len(), |end| end + 1);
        let entity = &rest[..end];
        if rest[end..].starts_with(';') {
            let whole = &rest[..=end];
            let meant = htmlize::unescape(whole);
            changed |= meant != whole;
            decoded.push_str(&meant);
            rest = &rest[end + 1..];
        } else {
            decoded.push_str(entity);
            rest = &rest[end..];
        }
    }
    decoded.push_str(rest);
    changed.then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn repaired(text: &str) -> String {
        let text = in_right_encoding(text).unwrap_or_else(|| text.to_owned());
        line("title", &text, 1_000, &mut Repairs::default())
    }

    #[test]
    fn texts_of_real_files_read_as_they_were_meant() {
        for (text, meant) in [
            ("  Three wheeled cruiser (16\u{94}) Red ", "Three wheeled cruiser (16”) Red"),
            ("Tea\u{a0}towel\u{200b} set\r\n", "Tea towel set"),
            ("CafÃ© latte glass", "Café latte glass"),
            ("CafÃƒÂ© twice", "Café twice"),
            ("itâ€™s 5â€“6 â‚¬", "it’s 5–6 €"),
            ("itâ\u{80}\u{99}s", "it’s"),
            ("Ð§Ð°Ð¹Ð½Ð¸Ðº", "Чайник"),
            ("æ—¥æœ¬", "日本"),
            ("Rock &amp; Roll lamp &#8211; black", "Rock & Roll lamp – black"),
            ("Fish &amp;amp; chips &eacute;", "Fish & chips é"),
            ("Null\0byte mug", "Nullbyte mug"),
            ("a\tb\nc", "a b c"),
            ("Kühl\u{ad}schrank", "Kühlschrank"),
        ] {
            assert_eq!(repaired(text), meant, "{text:?}");
        }
    }

    #[test]
    fn what_is_right_is_left_alone() {
        for text in [
            "Café crème",
            "Ärger „GROSSÄ“ x",
            "R&D lab",
            "bed &parents; &notebook",
            "AT&T",
            "MAÑANA — 5 €",
            "Größe XL",
            "日本 茶",
            "Чайник",
            "naïve façade",
            "5 µF ±2 °C",
            "Pokémon™",
        ] {
            let mut repairs = Repairs::default();
            assert_eq!(in_right_encoding(text), None, "{text}");
            assert_eq!(line("title", text, 1_000, &mut repairs), text);
            assert_eq!(repairs, Repairs::default());
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        let mut repairs = Repairs::default();
        assert_eq!(line("title", &"ä".repeat(1_200), 1_000, &mut repairs), "ä".repeat(1_000));
        assert_eq!(repairs.as_slice()[0].repair, Repair::Cut);
    }

    proptest! {
        #[test]
        fn a_repaired_line_is_one_that_souk_takes_and_needs_no_second_repair(text in any::<String>()) {
            let once = line("title", &text, 50, &mut Repairs::default());
            prop_assert!(once.chars().count() <= 50 && once.trim() == once && !once.chars().any(char::is_control));
            let mut again = Repairs::default();
            prop_assert_eq!(line("title", &once, 50, &mut again), once.clone());
        }

        #[test]
        fn utf8_taken_for_windows_1252_is_undone(text in "[a-z ]{0,8}[àâäçéèêëîïôöùûüñßøåæ]{1,4}[a-z ]{0,8}|[a-z]{1,4}[’“”–—€][a-z]{1,4}") {
            let (mangled, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(text.as_bytes());
            // Bytes that Windows-1252 has no character for are kept as controls, and come back.
            prop_assert_eq!(in_right_encoding(&mangled), Some(text));
        }
    }
}
