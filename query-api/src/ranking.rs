//! Ranking settings by name, as requests and experiments try them over those of a generation.

use search::ranking::Ranking;
use serde_json::{Map, Value};
use service::json;

/// Settings that cost time, and the most they may be set to.
const BOUNDED: [(&str, f64); 2] = [("window", 500.0), ("candidates", 1_000.0)];

/// A setting that isn't there or can't have that value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct WrongSetting {
    /// Its name; empty if it is not clear which.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Settings over those that ship.
///
/// # Errors
/// [`WrongSetting`], the first.
pub fn overlaid(shipped: Ranking, settings: &Map<String, Value>) -> Result<Ranking, WrongSetting> {
    let wrong = |name: &str, reason: String| WrongSetting { name: name.to_owned(), reason };
    if settings.is_empty() {
        return Ok(shipped);
    }
    let Ok(Value::Object(mut all)) = serde_json::to_value(shipped) else { return Ok(shipped) };
    for (name, value) in settings {
        let most = BOUNDED.iter().find(|(bounded, _)| bounded == name).map_or(1e6, |(_, most)| *most);
        if !all.contains_key(name) {
            let known = all.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(wrong(name, format!("there is no such setting; there are {known}")));
        }
        if !value.as_f64().is_some_and(|number| (0.0..=most).contains(&number)) {
            return Err(wrong(name, format!("a number from 0 to {most} is expected")));
        }
        all.insert(name.clone(), value.clone());
    }
    serde_json::from_value(Value::Object(all)).map_err(|error| wrong("", json::plain(&error.to_string())))
}
