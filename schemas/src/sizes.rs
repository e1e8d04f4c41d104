//! How large a record may be. All follows from what the log takes, so that what a command is allowed to write can be sent.

use serde_json::Value;

/// Bytes that the log takes as one record, set for its topics and its producers.
pub const MAX_RECORD_BYTES: usize = 5 << 20;
/// What key, headers and the batch around a record may take of it.
const AROUND: usize = 64 << 10;
/// Bytes of a composed document.
pub const MAX_DOCUMENT_BYTES: usize = MAX_RECORD_BYTES - AROUND;
/// Bytes of an event's payload as JSON text. A document is composed of several.
pub const MAX_EVENT_BYTES: usize = 1 << 20;

const _: () = assert!(4 * MAX_EVENT_BYTES < MAX_DOCUMENT_BYTES);

/// The largest part of a payload that is JSON text: where it is, as a JSON pointer, and its bytes.
///
/// It goes down from the whole as long as one member or element is more than half of what holds it.
#[must_use]
pub fn largest_part(payload: &str) -> Option<(String, usize)> {
    let whole: Value = serde_json::from_str(payload).ok()?;
    let (mut pointer, mut part) = (String::new(), &whole);
    let mut bytes = payload.len();
    while let Some((name, inner, size)) = largest_child(part) {
        // The members of an event's content are what somebody sent; the content as a whole is all of it.
        if size * 2 <= bytes && !pointer.is_empty() {
            break;
        }
        pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        (part, bytes) = (inner, size);
    }
    (!pointer.is_empty()).then_some((pointer, bytes))
}

fn largest_child(value: &Value) -> Option<(String, &Value, usize)> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(elements) => elements.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    };
    children.into_iter().map(|(name, value)| (name, value, value.to_string().len())).max_by_key(|(_, _, size)| *size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_part_is_what_most_of_the_bytes_are_in() {
        let payload = |attributes: usize, text: usize| {
            serde_json::json!({"slug": "a", "content": {
                "description": "x".repeat(text),
                "attributes": (0..attributes).map(|n| serde_json::json!({"name": n.to_string(), "value": "y".repeat(100)})).collect::<Vec<_>>(),
            }})
            .to_string()
        };
        assert_eq!(largest_part(&payload(3, 5_000)).map(|(at, _)| at).as_deref(), Some("/content/description"));
        let (at, bytes) = largest_part(&payload(100, 50)).expect("a part");
        assert_eq!(at, "/content/attributes");
        assert!(bytes > 10_000, "{bytes}");
    }

    #[test]
    fn a_name_is_written_as_a_pointer_wants_it() {
        let payload = serde_json::json!({"a/b~c": "x".repeat(50), "d": 1}).to_string();
        assert_eq!(largest_part(&payload).map(|(at, _)| at).as_deref(), Some("/a~1b~0c"));
        assert_eq!(largest_part("12"), None);
        assert_eq!(largest_part("no JSON"), None);
    }
}
