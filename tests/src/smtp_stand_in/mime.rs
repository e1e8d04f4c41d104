//! Reading a mail: headers (RFC 5322), encoded words (RFC 2047), encoded bodies (RFC 2045).

use base64::{Engine, engine::general_purpose::STANDARD};

/// The value of a mail's header on one line, if it is there.
pub(super) fn header(raw: &str, name: &str) -> Option<String> {
    let mut lines = raw.split("\r\n").take_while(|line| !line.is_empty()).skip_while(|line| {
        let value = line.split_once(':').filter(|(field, _)| field.eq_ignore_ascii_case(name));
        value.is_none() || line.starts_with([' ', '\t'])
    });
    let (_, first) = lines.next()?.split_once(':')?;
    let folded = lines.take_while(|line| line.starts_with([' ', '\t']));
    Some(folded.fold(first.to_owned(), |value, line| value + line).trim().to_owned())
}

/// The body of a mail, decoded, with even line ends and no empty lines at its end.
pub(super) fn text(raw: &str) -> String {
    let body = raw.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let encoding = header(raw, "Content-Transfer-Encoding").unwrap_or_default().to_ascii_lowercase();
    let decoded = match encoding.as_str() {
        "quoted-printable" => quoted_printable(body, false),
        "base64" => base64(body),
        _ => body.as_bytes().to_vec(),
    };
    String::from_utf8_lossy(&decoded).replace("\r\n", "\n").trim_end_matches('\n').to_owned()
}

/// A header's value with its encoded words in UTF-8 decoded; others stay as they are.
pub(super) fn decoded_words(value: &str) -> String {
    let (mut decoded, mut rest, mut follows_word) = (String::new(), value, false);
    while let Some(at) = rest.find("=?") {
        let (before, begin) = rest.split_at(at);
        let (word, after) = match encoded_word(begin) {
            Some((word, after)) => (Some(word), after),
            None => (None, &begin[2..]),
        };
        // Spaces between two encoded words only part them.
        if !(follows_word && word.is_some() && before.trim().is_empty()) {
            decoded += before;
        }
        follows_word = word.is_some();
        decoded += word.as_deref().unwrap_or("=?");
        rest = after;
    }
    decoded + rest
}

/// The encoded word at the beginning of a text, decoded, and what follows it.
fn encoded_word(text: &str) -> Option<(String, &str)> {
    let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (word, after) = rest.split_once("?=")?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    let decoded = match encoding {
        "B" | "b" => base64(word),
        "Q" | "q" => quoted_printable(word, true),
        _ => return None,
    };
    Some((String::from_utf8_lossy(&decoded).into_owned(), after))
}

fn base64(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    STANDARD.decode(digits).unwrap_or_else(|_| b"(no base64)".to_vec())
}

/// Decodes `=XX` and line ends that are none; in a header's word an underscore is a space.
fn quoted_printable(text: &str, is_word: bool) -> Vec<u8> {
    let text = text.replace("=\r\n", "");
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = if byte == b'=' { after.split_at_checked(2) } else { None };
        let escaped = escaped.and_then(|(digits, after)| {
            let digits = std::str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, after))
        });
        let (byte, after) = match escaped {
            Some(decoded) => decoded,
            None if is_word && byte == b'_' => (b' ', after),
            None => (byte, after),
        };
        decoded.push(byte);
        rest = after;
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_in_any_case_and_unfolded() {
        let raw = "To: a@b.example\r\n subject: x\r\nSUBJECT: one\r\n\ttwo: three\r\nX: y\r\n\r\nSubject: body";
        assert_eq!(header(raw, "Subject").as_deref(), Some("one\ttwo: three"));
        assert_eq!(header(raw, "From"), None);
    }

    #[test]
    fn words_are_decoded_and_spaces_between_two_are_dropped() {
        for (value, decoded) in [
            ("plain =? text", "plain =? text"),
            ("=?utf-8?b?U8O4cmVu?= writes", "Søren writes"),
            ("For =?UTF-8?Q?M=C3=BCller_=26?= =?utf-8?b?IFNvbnM=?= now", "For Müller & Sons now"),
            ("=?iso-8859-1?q?M=FCller?=", "=?iso-8859-1?q?M=FCller?="),
        ] {
            assert_eq!(decoded_words(value), decoded);
        }
    }

    #[test]
    fn bodies_are_decoded_as_their_header_says() {
        for (encoding, body, text) in [
            ("7bit", "a=41\r\n.b\r\n\r\n", "a=41\n.b"),
            ("Quoted-Printable", "M=C3=BCl=\r\nler =3D =zz\r\n", "Müller = =zz"),
            ("base64", "TcO8\r\nbGxlcg0KZQ==\r\n", "Müller\ne"),
        ] {
            let raw = format!("Content-Transfer-Encoding: {encoding}\r\n\r\n{body}");
            assert_eq!(super::text(&raw), text);
        }
    }
}
