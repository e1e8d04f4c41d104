//! Where a generation's vectors come from: the model, and what it reads of a product.

use crate::text;
use serde::{Deserialize, Serialize};

/// The model and the form of its weights, as vectors are keyed by it.
pub const MODEL_ID: &str = "all-MiniLM-L6-v2/int8-weights";
/// Numbers in a vector of the shipped model.
pub const DIMENSIONS: usize = 384;
/// Most numbers of a vector that pgvector's HNSW takes as `halfvec`.
const MOST_DIMENSIONS: usize = 4_000;

/// The embedding model and the text it reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// Its name; the processes that embed know its folder by it.
    pub id: String,
    /// Numbers in a vector.
    pub dimensions: usize,
    /// SHA-256 of its model.onnx in hexadecimal; empty for whatever stands under the name.
    pub sha256: String,
    /// Tokens it reads of a text; what is longer is cut.
    pub tokens: usize,
    /// How the vectors of the tokens become one.
    pub pooling: Pooling,
    /// What stands before a query: some models want `query: `.
    pub before_query: String,
    /// What it reads of a product.
    pub text: EmbeddedText,
}

/// How the vectors of the tokens become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// Their mean.
    #[default]
    Mean,
    /// The first one.
    Cls,
}

/// What is embedded of a product: the fields, in this order. Brand, part number and type beside title and
/// description made the shipped model's figures worse: what matters of them stands in the title, and the words find
/// the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmbeddedText {
    /// Its title.
    pub title: bool,
    /// Its brand.
    pub brand: bool,
    /// Its maker's part number.
    pub part_number: bool,
    /// Its kind, where the source says so.
    pub product_type: bool,
    /// Its description, without HTML.
    pub description: bool,
    /// Longest text in characters; a token has about four.
    pub characters: usize,
    /// What stands before it: some models want `passage: `.
    pub before_document: String,
}

impl Default for EmbeddedText {
    fn default() -> Self {
        Self {
            title: true,
            brand: false,
            part_number: false,
            product_type: false,
            description: true,
            characters: 1_000,
            before_document: String::new(),
        }
    }
}

impl Default for Model {
    fn default() -> Self {
        Self {
            id: MODEL_ID.to_owned(),
            dimensions: DIMENSIONS,
            sha256: String::new(),
            tokens: 256,
            pooling: Pooling::Mean,
            before_query: String::new(),
            text: EmbeddedText::default(),
        }
    }
}

impl Model {
    /// The name its vectors are kept under: the shipped model's own, any other with the beginning of a hash of all its
    /// settings, so that two texts of one model lie side by side.
    #[must_use]
    pub fn key(&self) -> String {
        if *self == Self::default() { self.id.clone() } else { format!("{}#{}", self.id, self.fingerprint()) }
    }

    /// A short name of the set for projections and database objects; empty for the shipped one.
    #[must_use]
    pub fn suffix(&self) -> String {
        if *self == Self::default() { String::new() } else { self.fingerprint() }
    }

    fn fingerprint(&self) -> String {
        let written = serde_json::to_string(self).unwrap_or_default();
        text::hash(&written)[..10].to_owned()
    }

    /// This model as it reads a query: sets that differ only in the text of documents share it.
    #[must_use]
    pub fn engine(&self) -> Self {
        Self { text: EmbeddedText::default(), before_query: String::new(), ..self.clone() }
    }

    /// What is wrong with it, as places and sentences.
    pub(super) fn findings(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let of = &self.text;
        let named = |name: &str| {
            let sign = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
            (1..=100).contains(&name.len()) && name.chars().all(sign)
        };
        let hash = |hash: &str| hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        [
            (named(&self.id), "id", "1 to 100 letters, digits and `._/-` are expected"),
            ((1..=MOST_DIMENSIONS).contains(&self.dimensions), "dimensions", "1 to 4,000 numbers are expected"),
            (
                self.sha256.is_empty() || hash(&self.sha256),
                "sha256",
                "64 hexadecimal digits in lower case are expected, or nothing",
            ),
            ((8..=8_192).contains(&self.tokens), "tokens", "8 to 8,192 tokens are expected"),
            (self.before_query.len() <= 200, "before_query", "at most 200 bytes are expected"),
            (of.before_document.len() <= 200, "text.before_document", "at most 200 bytes are expected"),
            ((1..=100_000).contains(&of.characters), "text.characters", "1 to 100,000 characters are expected"),
            (
                of.title || of.brand || of.part_number || of.product_type || of.description,
                "text",
                "at least one field has to be read",
            ),
        ]
        .into_iter()
        .filter(|(holds, ..)| !holds)
        .map(|(_, place, detail)| (place, detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_vectors_are_kept_apart_and_engines_shared() {
        let shipped = Model::default();
        assert_eq!((shipped.key().as_str(), shipped.suffix().as_str()), (MODEL_ID, ""));
        let titles = Model { text: EmbeddedText { description: false, ..EmbeddedText::default() }, ..Model::default() };
        assert!(titles.key().starts_with("all-MiniLM-L6-v2/int8-weights#"), "{}", titles.key());
        assert_ne!(titles.key(), Model { tokens: 128, ..titles.clone() }.key());
        assert_eq!(titles.engine(), shipped.engine());
        assert_eq!(titles.findings().count(), 0);
    }

    #[test]
    fn what_no_model_can_be_is_found() {
        let wrong = Model {
            id: "a'b".to_owned(),
            dimensions: 0,
            sha256: "abc".to_owned(),
            text: EmbeddedText { title: false, description: false, characters: 0, ..EmbeddedText::default() },
            ..Model::default()
        };
        let places: Vec<&str> = wrong.findings().map(|(place, _)| place).collect();
        assert_eq!(places, ["id", "dimensions", "sha256", "text.characters", "text"]);
    }
}
