//! The digest of a quote: what an offer is known by, and what shows that it is unchanged.

use schemas::quote::Quote;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Fields of a quote that are no part of the offer: itself, when and of what it was made, and what did not count.
const LEFT_OUT: [&str; 4] = ["digest", "priced_at", "notices", "sources"];

/// What the digest begins with, so that it is the digest of nothing else.
const PREFIX: &str = "souk-quote-1\n";

/// SHA-256 of the offer in hexadecimal digits.
///
/// The offer is JSON without blanks, its names in the order of their bytes (RFC 8785, as far as texts and integers go).
#[must_use]
pub fn digest(quote: &Quote) -> String {
    let mut text = String::from(PREFIX);
    // Everything in a quote has a form in JSON.
    let mut value = serde_json::to_value(quote).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        for name in LEFT_OUT {
            fields.remove(name);
        }
    }
    write(&value, &mut text);
    hex::encode(Sha256::digest(text))
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (place, (name, value)) in fields.into_iter().enumerate() {
                text.push_str(if place > 0 { "," } else { "" });
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for (place, value) in values.iter().enumerate() {
                text.push_str(if place > 0 { "," } else { "" });
                write(value, text);
            }
            text.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => text.push_str(&value.to_string()),
    }
}
