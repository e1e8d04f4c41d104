//! What staff have defined to steer a tenant's search.

use crate::ranking::{WrongSetting, overlaid};
use schemas::events::merchandising::{Experiment, ExperimentArm, FacetDisplay, Rule, SynonymSet};
use search::{
    analyzer::{self, Analysis},
    bundle::Bundle,
    ranking::Ranking,
    synonyms::Synonyms,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use service::json;
use std::sync::Arc;

/// A definition under its name.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Named<T> {
    /// The name.
    pub name: String,
    /// What is defined.
    pub content: T,
}

/// What a tenant's staff have written, by kind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Written {
    /// Words that mean each other.
    pub synonyms: Vec<Named<SynonymSet>>,
    /// What happens on certain searches.
    pub rules: Vec<Named<Rule>>,
    /// Which facets are shown.
    pub facets: Vec<Named<FacetDisplay>>,
    /// Ranking settings that are tried.
    pub experiments: Vec<Named<Experiment>>,
    /// How its words are read.
    pub analysis: Analysis,
}

impl Written {
    /// Adds what a bundle defines under names that staff have not used, and how it reads words.
    pub(crate) fn beneath(&mut self, bundle: &Bundle) {
        self.analysis = bundle.analyzer.clone();
        for (name, content) in &bundle.synonyms {
            if self.synonyms.iter().all(|known| known.name != *name) {
                self.synonyms.push(Named { name: name.clone(), content: content.clone() });
            }
        }
        for (name, content) in &bundle.rules {
            if self.rules.iter().all(|known| known.name != *name) {
                self.rules.push(Named { name: name.clone(), content: content.clone() });
            }
        }
    }
}

/// A rule with the words of its query, as a search's are read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadRule {
    /// Its name.
    pub name: String,
    /// The rule.
    pub rule: Rule,
    /// The words; none if it has no query.
    pub words: Vec<String>,
}

/// Everything a tenant has defined, read once for all searches.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Definitions {
    written: Written,
    /// The synonyms, as terms.
    pub synonyms: Arc<Synonyms>,
    /// The rules in the order they run.
    pub rules: Vec<ReadRule>,
    /// Differs when anything of it differs; part of cache keys.
    pub stamp: String,
}

impl Definitions {
    /// Reads what was written.
    #[must_use]
    pub fn of(mut written: Written, stamp: String) -> Self {
        written.rules.sort_by_key(|rule| (rule.content.priority, rule.name.clone()));
        let mut synonyms = Synonyms::of_texts(&written.analysis);
        for Named { content, .. } in &written.synonyms {
            match content {
                SynonymSet::MultiWay { terms } => synonyms.multi_way(terms),
                SynonymSet::OneWay { from, to } => synonyms.one_way(from, to),
            }
        }
        let read = |Named { name, content: rule }: &Named<Rule>| {
            let words = rule.when.query.as_ref().map(|query| words(&query.text)).unwrap_or_default();
            ReadRule { name: name.clone(), rule: rule.clone(), words }
        };
        let rules = written.rules.iter().map(read).collect();
        Self { written, synonyms: Arc::new(synonyms), rules, stamp }
    }

    /// Which facets are shown.
    #[must_use]
    pub fn facets(&self) -> &[Named<FacetDisplay>] {
        &self.written.facets
    }

    /// Ranking settings that are tried.
    #[must_use]
    pub fn experiments(&self) -> &[Named<Experiment>] {
        &self.written.experiments
    }

    /// These with drafts put over them, by kind and name.
    ///
    /// # Errors
    /// Where a draft can't be read, and why.
    pub fn with_drafts(&self, drafts: &Map<String, Value>) -> Result<Self, (String, String)> {
        let mut all = self.written.clone();
        for (kind, drafts) in drafts {
            let pointer = format!("preview/{kind}");
            let Value::Object(drafts) = drafts else {
                return Err((pointer, "an object of drafts by name is expected".to_owned()));
            };
            for (name, draft) in drafts {
                let pointer = format!("{pointer}/{name}");
                match kind.as_str() {
                    "synonyms" => put(&mut all.synonyms, name, draft, pointer)?,
                    "rules" => put(&mut all.rules, name, draft, pointer)?,
                    "facets" => put(&mut all.facets, name, draft, pointer)?,
                    "experiments" => put(&mut all.experiments, name, draft, pointer)?,
                    _ => return Err((pointer, "there are synonyms, rules, facets and experiments".to_owned())),
                }
            }
        }
        Ok(Self::of(all, format!("{} preview", self.stamp)))
    }
}

/// The words of a query or of a rule's.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    analyzer::terms(&mut analyzer::plain(), text)
}

fn put<T: DeserializeOwned>(
    all: &mut Vec<Named<T>>,
    name: &str,
    draft: &Value,
    pointer: String,
) -> Result<(), (String, String)> {
    let content =
        serde_json::from_value(completed(draft)).map_err(|error| (pointer, json::plain(&error.to_string())))?;
    all.retain(|known| known.name != name);
    all.push(Named { name: name.to_owned(), content });
    Ok(())
}

/// A draft with what is meant where nothing is said: it is the body that would be put.
fn completed(draft: &Value) -> Value {
    let mut draft = draft.clone();
    let fill = |place: &mut Value, name: &str, meant: Value| {
        if let Some(place) = place.as_object_mut() {
            place.entry(name).or_insert(meant);
        }
    };
    let each = |draft: &mut Value, list: &str, name: &str, meant: Value| {
        let places = draft.get_mut(list).and_then(Value::as_array_mut);
        places.into_iter().flatten().for_each(|place| fill(place, name, meant.clone()));
    };
    // No kind of definition has a setting of another's name that means something else.
    fill(&mut draft, "enabled", true.into());
    fill(&mut draft, "priority", 0.into());
    each(&mut draft, "arms", "ranking", Value::Object(Map::new()));
    each(&mut draft, "facets", "order", "count".into());
    each(&mut draft, "facets", "hidden", false.into());
    draft
}

/// The ranking settings of an arm.
///
/// # Errors
/// [`WrongSetting`], if a setting isn't there or can't have that value; no generation's others are then used either,
/// since an arm with some of its settings would be another experiment.
pub fn settings(arm: &ExperimentArm) -> Result<Map<String, Value>, WrongSetting> {
    let settings = arm.ranking.iter().map(|(name, value)| (name.clone(), Value::from(*value))).collect();
    overlaid(Ranking::default(), &settings)?;
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_draft_is_the_body_that_would_be_put() {
        let drafts = json!({
            "rules": {"a": {"when": {"category": "shirts"}, "then": []}},
            "synonyms": {"b": {"kind": "multi_way", "terms": ["lamp", "light"]}},
            "facets": {"c": {"facets": [{"field": "brand"}]}},
            "experiments": {"d": {"arms": [{"name": "x", "share": 50}, {"name": "y", "share": 50, "ranking": {"b": 0.5}}]}},
        });
        let Value::Object(drafts) = drafts else { unreachable!("an object") };
        let read = Definitions::default().with_drafts(&drafts).expect("read");
        assert!(read.rules[0].rule.enabled && read.experiments()[0].content.enabled);
        assert_eq!((read.rules[0].rule.priority, read.experiments()[0].content.arms.len()), (0, 2));
        assert!(!read.facets()[0].content.facets[0].hidden);
        let off = Map::from_iter([("rules".to_owned(), json!({"a": {"enabled": false, "when": {}, "then": []}}))]);
        assert!(!read.with_drafts(&off).expect("read").rules[0].rule.enabled);
    }
}
