//! Reading an attribute's value. The derived way tries one variant after another and writes an error's
//! text for each that does not fit, which a catalog of many attributes pays for on every event.

use super::AttributeValue;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use std::fmt;

impl<'de> Deserialize<'de> for AttributeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Value)
    }
}

struct Value;

impl<'de> Visitor<'de> for Value {
    type Value = AttributeValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true or false, a number, a text or a list of texts")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<AttributeValue, E> {
        Ok(AttributeValue::Bool(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "JSON numbers are doubles to most readers")]
    fn visit_i64<E: Error>(self, value: i64) -> Result<AttributeValue, E> {
        Ok(AttributeValue::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "JSON numbers are doubles to most readers")]
    fn visit_u64<E: Error>(self, value: u64) -> Result<AttributeValue, E> {
        Ok(AttributeValue::Number(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<AttributeValue, E> {
        Ok(AttributeValue::Number(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<AttributeValue, E> {
        Ok(AttributeValue::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<AttributeValue, E> {
        Ok(AttributeValue::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<AttributeValue, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = items.next_element()? {
            texts.push(text);
        }
        Ok(AttributeValue::Texts(texts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_read_back_as_it_was_written() {
        let values = [
            AttributeValue::Bool(true),
            AttributeValue::Number(15.6),
            AttributeValue::Number(-2.0),
            AttributeValue::Text("a \"b\"".to_owned()),
            AttributeValue::Texts(vec!["red".to_owned(), "blue".to_owned()]),
        ];
        for value in values {
            let text = serde_json::to_string(&value).expect("written");
            assert_eq!(serde_json::from_str::<AttributeValue>(&text).expect("read"), value, "{text}");
        }
        assert_eq!(serde_json::from_str::<AttributeValue>("7").expect("read"), AttributeValue::Number(7.0));
        let error = serde_json::from_str::<AttributeValue>("{\"a\": 1}").expect_err("no attribute");
        assert!(error.to_string().contains("a list of texts"), "{error}");
    }
}
