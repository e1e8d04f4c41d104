//! Reading JSON so that what is wrong with it can be pointed at, in words of JSON and not of this program.

use schemas::problem::FieldError;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

/// The most arrays and objects inside one another.
pub const MAX_DEPTH: usize = 64;

/// Reads a value.
///
/// # Errors
/// At which JSON pointer it can't be read, and why; the pointer is empty for the text as a whole, such as one with more
/// than [`MAX_DEPTH`] levels.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FieldError> {
    if let Some(offset) = too_deep(bytes) {
        return Err(deep(bytes, offset));
    }
    serde_json::from_slice(bytes).map_err(|_| why::<T>(bytes))
}

/// Where an array or object begins that is inside too many others. The text need not be JSON.
fn too_deep(bytes: &[u8]) -> Option<usize> {
    // Most texts have fewer of them in all, which is counted far quicker than they are told apart from strings.
    if bytes.iter().filter(|byte| matches!(byte, b'[' | b'{')).count() <= MAX_DEPTH {
        return None;
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (offset, byte) in bytes.iter().enumerate() {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Some(offset);
                }
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Says that the text is too deep, and where; lines and columns from 1, as the reader counts them.
fn deep(bytes: &[u8], offset: usize) -> FieldError {
    let before = bytes.get(..offset).unwrap_or_default();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    let detail =
        format!("more than {MAX_DEPTH} arrays and objects are inside one another at line {line} column {column}");
    FieldError {
        position: u32::try_from(String::from_utf8_lossy(before).chars().count()).ok(),
        ..FieldError::new("", detail)
    }
}

/// Reads it again, slower, keeping track of where it is.
fn why<T: DeserializeOwned>(bytes: &[u8]) -> FieldError {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Err(error) => FieldError::new(pointer(error.path()), plain(&error.inner().to_string())),
        Ok(_) => FieldError::new("", "there is more text after the JSON value"),
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    let token = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    path.iter().map(token).collect()
}

/// A message of the reader without the names that types have in this program.
#[must_use]
pub fn plain(message: &str) -> String {
    if let Some(at) = message.find("data did not match any variant of untagged enum") {
        return format!("{}it has none of the forms that are allowed here", &message[..at]);
    }
    let message = message.replacen("unknown variant ", "unknown value ", 1);
    let (text, place) = match message.rfind(" at line ") {
        Some(at) => message.split_at(at),
        None => (message.as_str(), ""),
    };
    if DATES.contains(&text) {
        return format!("a date is expected, such as 2026-11-28 or, with a time, 2026-11-28T09:30:00Z{place}");
    }
    let Some((found, expected)) = text.rsplit_once(", expected ") else { return message };
    let in_json = FOUND.iter().find_map(|(own, json)| found.strip_suffix(own).map(|start| format!("{start}{json}")));
    format!("{}, expected {}{place}", in_json.as_deref().unwrap_or(found), wanted(expected))
}

/// What the reader says of a text that is no date.
const DATES: [&str; 4] =
    ["premature end of input", "input contains invalid characters", "input is out of range", "trailing input"];

/// What was found: the end of a message's first half, in the reader's words and in JSON's.
const FOUND: [(&str, &str); 5] = [
    (" map", " an object"),
    (" sequence", " an array"),
    (" unit value", " null"),
    (" unit variant", " a string"),
    (" newtype struct", " a value"),
];

/// What was expected, in JSON's words; a sentence that is not the reader's own stays.
fn wanted(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0 on",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "an array",
        "a map" => "an object",
        "unit" => "null",
        "variant identifier" | "field identifier" | "identifier" => "a string",
        _ if ["struct ", "internally tagged enum ", "adjacently tagged enum "]
            .iter()
            .any(|kind| expected.starts_with(kind)) =>
        {
            "an object"
        }
        _ if expected.ends_with(" variant") => "a value of another form",
        _ if expected.starts_with("enum ") => "a string or an object",
        _ if expected.starts_with("tuple ") || expected.starts_with("a tuple ") => "an array",
        _ => expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Thing {
        #[serde(default)]
        parts: Vec<u32>,
        kind: Option<Kind>,
        form: Option<Form>,
        tagged: Option<Tagged>,
        flag: Option<bool>,
        pair: Option<(u8, u8)>,
        day: Option<schemas::NaiveDate>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        First,
        Second,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "only read")]
    enum Form {
        Text(String),
        Number(f64),
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    #[expect(dead_code, reason = "only read")]
    enum Tagged {
        One { of: u32 },
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        for (text, pointer) in
            [(r#"{"parts":[1,"x"]}"#, "/parts/1"), ("{", ""), (r#"{"parts":[]} x"#, ""), (r#"{"kind":"x"}"#, "/kind")]
        {
            assert_eq!(read::<Thing>(text.as_bytes()).expect_err(text).pointer, pointer, "{text}");
        }
    }

    #[test]
    fn what_is_too_deep_is_refused_wherever_it_stands() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let value = |text: &str| read::<serde_json::Value>(text.as_bytes());
        value(&nested(MAX_DEPTH)).expect("as deep as may be");
        value(&format!("[{}[]]", "[],".repeat(500))).expect("many, but beside one another");
        value(&format!(r#"{{"text":"\"{}"}}"#, "[{".repeat(500))).expect("in a string");
        let refused = value(&nested(MAX_DEPTH + 1)).expect_err("one more");
        assert!(refused.detail.ends_with("at line 1 column 65"), "{}", refused.detail);
        assert_eq!((refused.pointer.as_str(), refused.position), ("", Some(64)));
        let refused = value(&format!("{{\"ö\":\n{}}}", nested(MAX_DEPTH))).expect_err("inside another");
        assert!(refused.detail.ends_with("at line 2 column 64"), "{}", refused.detail);
        // What is kept as it stands is read without counting by itself.
        let kept = format!(r#"{{"kept":{}}}"#, nested(200_000));
        read::<std::collections::BTreeMap<String, Box<serde_json::value::RawValue>>>(kept.as_bytes())
            .expect_err("deep");
        // Nor has it to be JSON.
        value(&"{".repeat(1_000_000)).expect_err("open");
    }

    #[test]
    fn messages_use_the_words_of_json() {
        for (text, said) in [
            ("5", "invalid type: integer `5`, expected an object at line 1 column 1"),
            (r#"{"parts":{}}"#, "invalid type: an object, expected an array at line 1 column 9"),
            (r#"{"parts":[-1]}"#, "invalid value: integer `-1`, expected a whole number from 0 on at line 1 column 12"),
            (r#"{"kind":"third"}"#, "unknown value `third`, expected `first` or `second` at line 1 column 15"),
            (r#"{"form":[]}"#, "it has none of the forms that are allowed here"),
            (r#"{"flag":[]}"#, "invalid type: an array, expected true or false at line 1 column 8"),
            (r#"{"pair":7}"#, "invalid type: integer `7`, expected an array at line 1 column 9"),
        ] {
            assert_eq!(read::<Thing>(text.as_bytes()).expect_err(text).detail, said, "{text}");
        }
        let dated = read::<Thing>(br#"{"day":"soon"}"#).expect_err("no day").detail;
        assert!(dated.starts_with("a date is expected"), "{dated}");
    }

    #[test]
    fn no_message_names_a_type_of_the_program() {
        let values = ["5", "-5", "1.5", "\"x\"", "[]", "[[]]", "{}", "{\"a\":1}", "true", "null", "{\"type\":3}"];
        let fields = ["parts", "kind", "form", "tagged", "flag", "pair", "day"];
        let bodies = fields.iter().flat_map(|field| values.map(|value| format!("{{\"{field}\":{value}}}")));
        for body in bodies.chain(values.map(str::to_owned)) {
            let Err(error) = read::<Thing>(body.as_bytes()) else { continue };
            for word in ["struct", "enum", "variant", "Thing", "Kind", "Form", "Tagged", "u32", "u8", "f64", "tuple"] {
                assert!(!error.detail.contains(word), "{body}: {}", error.detail);
            }
        }
    }
}
