//! Takes single values out of a record.

use super::rules::Source;
use schemas::Timestamp;
use serde_json::{Map, Value};

pub(super) type Fields = Map<String, Value>;

/// The value of a field that holds something. The whole name is tried first, then its parts as the
/// way through objects.
pub(super) fn find<'a>(fields: &'a Fields, name: &str) -> Option<&'a Value> {
    let value = match fields.get(name) {
        Some(value) => value,
        None => {
            let (first, rest) = name.split_once('.')?;
            return find(fields.get(first)?.as_object()?, rest);
        }
    };
    let empty = match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    (!empty).then_some(value)
}

/// The values of a field that hold something, in every member of the lists on the way to it.
pub(super) fn find_all<'a>(fields: &'a Fields, name: &str) -> Vec<&'a Value> {
    if let Some(value) = find(fields, name) {
        return match value {
            Value::Array(list) => list.iter().filter(|value| !value.is_null()).collect(),
            value => vec![value],
        };
    }
    let Some((first, rest)) = name.split_once('.') else { return Vec::new() };
    match fields.get(first) {
        Some(Value::Object(members)) => find_all(members, rest),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_object).flat_map(|m| find_all(m, rest)).collect(),
        _ => Vec::new(),
    }
}

impl Source {
    /// Whether one of the fields holds something.
    pub(super) fn is_there(&self, fields: &Fields) -> bool {
        self.first(fields).is_some()
    }

    /// The first of the fields that holds something, with its name.
    pub(super) fn first<'a>(&'a self, fields: &'a Fields) -> Option<(&'a str, &'a Value)> {
        self.0.iter().find_map(|name| Some((name.as_str(), find(fields, name)?)))
    }

    /// The first as text.
    pub(super) fn text(&self, fields: &Fields) -> Result<Option<String>, String> {
        self.first(fields).map(|(name, value)| text(name, value)).transpose()
    }

    /// Whether no field is named.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All texts of all the fields, lists taken apart.
    pub(crate) fn texts(&self, fields: &Fields) -> Result<Vec<String>, String> {
        let mut all = Vec::new();
        for name in &self.0 {
            for value in find_all(fields, name) {
                all.push(text(name, value)?);
            }
        }
        all.retain(|text| !text.is_empty());
        Ok(all)
    }
}

/// One value as text.
pub(super) fn text(name: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.trim().to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(format!("the field `{name}` should hold one text")),
    }
}

/// A number, also when it is written as text.
pub(super) fn number(name: &str, value: &Value) -> Result<f64, String> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite()).ok_or_else(|| format!("the field `{name}` holds {value}, not a number"))
}

/// A whole number, also when it is written as text or as `6.0`.
pub(super) fn integer(name: &str, value: &Value) -> Result<i64, String> {
    let whole = match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    whole.ok_or_else(|| format!("the field `{name}` holds {value}, not a whole number"))
}

fn whole(number: f64) -> Option<i64> {
    // Above 2^53 a float no longer tells neighbouring whole numbers apart.
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and far below i64's limits")]
    (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(number as i64)
}

/// True or false, also as the usual words.
pub(super) fn flag(name: &str, value: &Value) -> Result<bool, String> {
    let word = match value {
        Value::Bool(flag) => return Ok(*flag),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_ascii_lowercase(),
        _ => String::new(),
    };
    match word.as_str() {
        "true" | "yes" | "y" | "1" | "on" | "active" | "published" | "publish" | "visible" | "enabled" => Ok(true),
        "false" | "no" | "n" | "0" | "-1" | "off" | "draft" | "archived" | "hidden" | "inactive" | "disabled" => {
            Ok(false)
        }
        _ => Err(format!("the field `{name}` holds {value}, not true or false")),
    }
}

/// A moment: RFC 3339, or a date, which is its first moment in UTC.
pub(super) fn moment(name: &str, text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    // As Google's feeds write it: minutes, and a zone without a colon.
    for format in ["%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S%z"] {
        if let Ok(moment) = chrono::DateTime::parse_from_str(text, format) {
            return Ok(moment.to_utc());
        }
    }
    for format in ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"] {
        if let Ok(moment) = chrono::NaiveDateTime::parse_from_str(text, format) {
            return Ok(moment.and_utc());
        }
    }
    text.parse::<chrono::NaiveDate>().map(|date| date.and_time(chrono::NaiveTime::MIN).and_utc()).map_err(|_| {
        format!("the field `{name}` holds `{text}`, not a date (2024-05-31) or a time (2024-05-31T12:00:00Z)")
    })
}
