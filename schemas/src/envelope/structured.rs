//! The JSON event format of CloudEvents 1.0, as the value of a Kafka record.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value, value::RawValue};
use std::{borrow::Cow, fmt};

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
    let members: Members<'_> = serde_json::from_slice(value).ok()?;
    let mut headers = Vec::with_capacity(members.0.len());
    let mut data = None;
    for (name, value) in members.0 {
        match &*name {
            "data" => data = Some(value.get().as_bytes().to_vec()),
            "datacontenttype" => headers.push(("content-type".to_owned(), text(value)?)),
            _ => headers.push((["ce_", &name].concat(), text(value)?)),
        }
    }
    Some((headers, data?))
}

fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// The members of a JSON object in their order, unread.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ReadMembers)
    }
}

struct ReadMembers;

impl<'de> Visitor<'de> for ReadMembers {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::with_capacity(16);
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
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
