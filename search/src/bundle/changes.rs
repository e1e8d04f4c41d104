//! What one bundle has that another has not, and what that takes.

use super::Bundle;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, fmt};

/// What a change takes to come true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Only its name or its notes.
    None,
    /// Searches of the generation behave otherwise; what is indexed stays as it is.
    Queries,
    /// Documents become other terms: every one is indexed anew.
    Terms,
    /// Every text is embedded anew.
    Vectors,
}

/// A setting that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Where: `ranking.b`.
    pub path: String,
    /// What it was; null for nothing.
    pub from: Value,
    /// What it is; null for nothing.
    pub to: Value,
    /// What that takes.
    pub effect: Effect,
    /// The fields of the index whose terms may differ because of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {}", self.path, self.from, self.to)
    }
}

/// Everything in which `new` differs from `old`, by path.
#[must_use]
pub fn changes(old: &Bundle, new: &Bundle) -> Vec<Change> {
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    leaves("", &old.value(), &mut before);
    leaves("", &new.value(), &mut after);
    let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
    paths.sort();
    paths.dedup();
    let differs = |path: &&String| before.get(*path) != after.get(*path);
    let change = |path: &String| Change {
        path: path.clone(),
        from: before.get(path).cloned().unwrap_or_default(),
        to: after.get(path).cloned().unwrap_or_default(),
        effect: effect(path),
        fields: fields(path).iter().map(|field| (*field).to_owned()).collect(),
    };
    paths.into_iter().filter(differs).map(change).collect()
}

/// The values that are no objects, by their paths; lists are compared whole.
fn leaves(path: &str, value: &Value, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(members) if !members.is_empty() && path.split('.').count() < 3 => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves(&path, value, found);
            }
        }
        Value::Object(members) if members.is_empty() => {}
        _ => {
            found.insert(path.to_owned(), value.clone());
        }
    }
}

fn effect(path: &str) -> Effect {
    match path.split('.').next().unwrap_or_default() {
        "name" | "notes" | "format" => Effect::None,
        "model" => Effect::Vectors,
        "schema_version" | "analyzer" | "fields" => Effect::Terms,
        _ => Effect::Queries,
    }
}

/// Which fields' terms a setting decides.
fn fields(path: &str) -> &'static [&'static str] {
    match path {
        "fields.title" => &["text", "title", "words"],
        "fields.brand" => &["text", "words"],
        "fields.part_number" => &["text"],
        "fields.description" => &["text", "description"],
        "fields.codes" => &["code"],
        "fields.attributes" => &["attr", "names"],
        path if path.starts_with("analyzer") => &["text", "title"],
        "schema_version" => &["*"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::events::merchandising::SynonymSet;

    #[test]
    fn changes_are_told_by_path_with_what_they_take() {
        let old = Bundle::default();
        assert_eq!(changes(&old, &old), []);
        let mut new = Bundle { name: "other".to_owned(), ..Bundle::default() };
        new.ranking.b = 0.75;
        new.analyzer.stop_words = vec!["cheap".to_owned()];
        new.synonyms
            .insert("tv".to_owned(), SynonymSet::MultiWay { terms: vec!["tv".to_owned(), "television".to_owned()] });
        let found = changes(&old, &new);
        let told: Vec<(&str, Effect)> = found.iter().map(|change| (change.path.as_str(), change.effect)).collect();
        assert_eq!(
            told,
            [
                ("analyzer.stop_words", Effect::Terms),
                ("name", Effect::None),
                ("ranking.b", Effect::Queries),
                ("synonyms.tv.kind", Effect::Queries),
                ("synonyms.tv.terms", Effect::Queries),
            ]
        );
        assert_eq!(found[2].to_string(), "ranking.b: 0.9 -> 0.75");
        assert_eq!(found[0].fields, ["text", "title"]);
    }
}
