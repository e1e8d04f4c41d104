//! The release bundle: everything that decides what a search finds and in which order, as one versioned value
//! that can be read as a file, compared, reviewed, promoted and taken back as a unit.

use crate::{
    IndexError,
    analyzer::{self, Analysis},
    ranking::Ranking,
    text,
};
use schemas::events::merchandising::{FacetSetting, Rule, SynonymSet};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

mod changes;
mod model;

pub use changes::{Change, Effect, changes};
pub use model::{DIMENSIONS, EmbeddedText, MODEL_ID, Model, Pooling};

/// The version of the file's own form.
pub const FORMAT: u32 = 1;
/// Raised with every change of [`crate::schema`].
pub const SCHEMA_VERSION: u32 = 5;
/// Languages that one index may be in: each has stems of its own.
const MOST_LANGUAGES: usize = 4;

/// What a generation is built with and searched by. What a file doesn't name has its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bundle {
    /// [`FORMAT`].
    pub format: u32,
    /// What people call it, such as `winter-synonyms`.
    pub name: String,
    /// What it is for.
    pub notes: String,
    /// [`SCHEMA_VERSION`] of the program that builds it.
    pub schema_version: u32,
    /// How text becomes terms.
    pub analyzer: Analysis,
    /// What of a product goes into the text that is searched.
    pub fields: SearchedFields,
    /// How hits are ranked.
    pub ranking: Ranking,
    /// Where the vectors come from.
    pub model: Model,
    /// The facets of a search that asks for those that suit, where staff have defined none.
    pub facets: Vec<FacetSetting>,
    /// Synonyms by name, beneath those that staff have defined.
    pub synonyms: BTreeMap<String, SynonymSet>,
    /// Rules by name, beneath those that staff have defined.
    pub rules: BTreeMap<String, Rule>,
}

/// What of a product goes into the text that is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SearchedFields {
    /// Its title.
    pub title: bool,
    /// Its brand.
    pub brand: bool,
    /// Its maker's part number.
    pub part_number: bool,
    /// Its description, and snippets from it.
    pub description: bool,
    /// Part numbers, SKUs, EANs and the codes of titles, matched however they are typed.
    pub codes: bool,
    /// Its attributes, for filters, facets, and words that name a value.
    pub attributes: bool,
}

impl Default for SearchedFields {
    fn default() -> Self {
        Self { title: true, brand: true, part_number: true, description: true, codes: true, attributes: true }
    }
}

impl Default for Bundle {
    fn default() -> Self {
        Self {
            format: FORMAT,
            name: "shipped".to_owned(),
            notes: String::new(),
            schema_version: SCHEMA_VERSION,
            analyzer: Analysis::default(),
            fields: SearchedFields::default(),
            ranking: Ranking::default(),
            model: Model::default(),
            facets: Vec::new(),
            synonyms: BTreeMap::new(),
            rules: BTreeMap::new(),
        }
    }
}

impl Bundle {
    /// What is wrong with it, as places (`analyzer.longest_term`) and sentences; nothing if it can be built.
    #[must_use]
    pub fn findings(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut check = |holds: bool, place: &str, detail: String| {
            if !holds {
                found.push((place.to_owned(), detail));
            }
        };
        check(self.format == FORMAT, "format", format!("this program reads form {FORMAT}"));
        let named = !self.name.is_empty() && self.name.len() <= 64;
        check(named, "name", "1 to 64 characters are expected".to_owned());
        check(
            self.schema_version == SCHEMA_VERSION,
            "schema_version",
            format!("this program builds schema {SCHEMA_VERSION}; another one needs the release that has it"),
        );
        check(
            self.analyzer.version == analyzer::ANALYZER_VERSION,
            "analyzer.version",
            format!(
                "this program has analyzer {}; another one needs the release that has it",
                analyzer::ANALYZER_VERSION
            ),
        );
        let longest = self.analyzer.longest_term;
        check((1..=255).contains(&longest), "analyzer.longest_term", "1 to 255 bytes are expected".to_owned());
        let languages = &self.analyzer.languages;
        let known = |name: &String| analyzer::languages().any(|known| known == name);
        let unknown: Vec<&str> = languages.iter().filter(|name| !known(name)).map(String::as_str).collect();
        check(
            unknown.is_empty(),
            "analyzer.languages",
            format!("{} is none of {}", unknown.join(", "), analyzer::languages().collect::<Vec<_>>().join(", ")),
        );
        let distinct: BTreeSet<&String> = languages.iter().collect();
        let few = (1..=MOST_LANGUAGES).contains(&languages.len()) && distinct.len() == languages.len();
        check(few, "analyzer.languages", format!("1 to {MOST_LANGUAGES} are expected, each once"));
        let words = &self.analyzer.stop_words;
        check(words.len() <= 1_000, "analyzer.stop_words", "at most 1,000 words are left out".to_owned());
        for (name, set) in &self.synonyms {
            let terms = match set {
                SynonymSet::MultiWay { terms } => terms.len() >= 2,
                SynonymSet::OneWay { from, to } => !from.is_empty() && !to.is_empty(),
            };
            check(terms, &format!("synonyms.{name}"), "terms on both sides are expected".to_owned());
        }
        found.extend(self.model.findings().map(|(name, detail)| (format!("model.{name}"), detail.to_owned())));
        found.extend(self.ranking.findings().map(|(name, detail)| (format!("ranking.{name}"), detail)));
        found
    }

    /// Its canonical JSON: members in the order of the type, no white space.
    ///
    /// # Errors
    /// If a number can't be written, such as a ranking setting that is not finite.
    pub fn canonical(&self) -> Result<String, IndexError> {
        Ok(serde_json::to_string(self).map_err(std::io::Error::from)?)
    }

    /// The SHA-256 of [`Self::canonical`] in hexadecimal, name and notes included.
    ///
    /// # Errors
    /// As [`Self::canonical`].
    pub fn hash(&self) -> Result<String, IndexError> {
        Ok(text::hash(&self.canonical()?))
    }

    /// It as a JSON value, numbers as they are written in a file.
    fn value(&self) -> Value {
        let text = self.canonical().unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_bundle_is_right_and_is_read_back() {
        let shipped = Bundle::default();
        assert_eq!(shipped.findings(), []);
        let read: Bundle = serde_json::from_str(&shipped.canonical().expect("text")).expect("a bundle");
        assert_eq!(read, shipped);
        assert_eq!(read.hash().expect("a hash").len(), 64);
    }

    #[test]
    fn bundles_from_before_languages_are_in_english() {
        let mut stored = Bundle::default().value();
        stored["analyzer"].as_object_mut().and_then(|analyzer| analyzer.remove("languages")).expect("languages");
        let read: Bundle = serde_json::from_value(stored).expect("a bundle");
        assert_eq!(read, Bundle::default());
        assert_eq!(read.analyzer.languages, ["english"]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let mut wrong = Bundle { schema_version: 99, ..Bundle::default() };
        wrong.analyzer.longest_term = 0;
        wrong.analyzer.languages = vec!["english".to_owned(), "klingon".to_owned()];
        wrong.ranking.b = 7.0;
        let places: Vec<String> = wrong.findings().into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, ["schema_version", "analyzer.longest_term", "analyzer.languages", "ranking.b"]);
        let told = wrong.findings().swap_remove(2).1;
        assert!(told.starts_with("klingon is none of danish, dutch, english, "), "{told}");
        wrong.analyzer.languages = Vec::new();
        assert!(wrong.findings().iter().any(|(place, _)| place == "analyzer.languages"));
        assert!(serde_json::from_str::<Bundle>(r#"{"rankings": {}}"#).is_err(), "a wrong name is no setting");
    }
}
