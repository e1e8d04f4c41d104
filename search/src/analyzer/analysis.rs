//! The settings of the analyzers.

use super::ANALYZER_VERSION;
use serde::{Deserialize, Serialize};

/// How text becomes terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Analysis {
    /// [`ANALYZER_VERSION`] of the program that builds it.
    pub version: u32,
    /// The languages of the texts, some of [`languages`](super::languages): all of them decide what a word's endings are,
    /// the first one which words are left out. See docs/search.md.
    pub languages: Vec<String>,
    /// Words that are left out beside the language's own, as they are typed.
    pub stop_words: Vec<String>,
    /// Longest term in bytes; longer ones are not searched for.
    pub longest_term: usize,
    /// Whether plurals (English) and endings (other languages) are taken off.
    pub plurals: bool,
}

impl Default for Analysis {
    fn default() -> Self {
        Self {
            version: ANALYZER_VERSION,
            languages: vec!["english".to_owned()],
            stop_words: Vec::new(),
            longest_term: 64,
            plurals: true,
        }
    }
}
