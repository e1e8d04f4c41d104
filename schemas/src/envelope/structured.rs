//! The JSON event format of CloudEvents 1.0, as the value of a Kafka record.

use serde_json::{Map, Value, value::RawValue};
use std::collections::BTreeMap;

/// The `content-type` header of a record in structured mode.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

/// The record value: attributes by their binary-mode header names, and the payload, already JSON.
#[must_use]
pub fn encode(headers: &[(&'static str, String)], data: &str) -> String {
    let mut attributes = Map::new();
    for (name, value) in headers {
        let name = name.strip_prefix("ce_").unwrap_or(if *name == "content-type" { "datacontenttype" } else { name });
        attributes.insert(name.to_owned(), Value::String(value.clone()));
    }
    let mut text = Value::Object(attributes).to_string();
    // The payload is JSON already; parsing it only to write it again would cost more than all else.
    text.pop();
    text.push_str(",\"data\":");
    text.push_str(data);
    text.push('}');
    text
}

/// Attributes by their binary-mode header names, and the payload.
pub type Decoded = (Vec<(String, String)>, Vec<u8>);

/// Attributes by their binary-mode header names, and the payload; none if the value is not of this format.
#[must_use]
pub fn decode(value: &[u8]) -> Option<Decoded> {
    let mut members: BTreeMap<String, &RawValue> = serde_json::from_slice(value).ok()?;
    let data = members.remove("data").map(|data| data.get().as_bytes().to_vec())?;
    let mut headers = Vec::with_capacity(members.len());
    for (name, value) in members {
        let name = if name == "datacontenttype" { "content-type".to_owned() } else { format!("ce_{name}") };
        headers.push((name, serde_json::from_str(value.get()).ok()?));
    }
    Some((headers, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let headers = [
            ("ce_id", "1".to_owned()),
            ("ce_type", "a \"b\"".to_owned()),
            ("content-type", "application/json".to_owned()),
        ];
        let (read, data) = decode(encode(&headers, "{\"x\": [1]}").as_bytes()).expect("decoded");
        assert_eq!(data, b"{\"x\": [1]}");
        assert_eq!(read.len(), 3);
        assert!(headers.iter().all(|(name, value)| read.contains(&((*name).to_owned(), value.clone()))));
    }

    #[test]
    fn anything_else_is_not() {
        for value in ["", "{}", "[1]", "{\"data\": 1, \"id\": 2}", "{\"data\": "] {
            assert!(decode(value.as_bytes()).is_none(), "{value}");
        }
    }
}
