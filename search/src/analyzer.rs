//! How text becomes terms, for documents and queries alike.

use std::collections::BTreeMap;
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, StopWordFilter, TextAnalyzer,
    TokenizerManager,
};

/// Raised with every change of what the analyzers yield; part of a generation's manifest.
pub const ANALYZER_VERSION: u32 = 1;

/// English text: words, lower case, accents folded, stop words out, Snowball stems.
pub const ENGLISH: &str = "souk_english";

/// Longest term in bytes; longer ones are not searched for.
const MAX_TERM_BYTES: usize = 64;

/// The analyzer of the text fields.
#[must_use]
pub fn english() -> TextAnalyzer {
    let words = TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(MAX_TERM_BYTES))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter);
    match StopWordFilter::new(Language::English) {
        Some(stop_words) => words.filter(stop_words).filter(Stemmer::new(Language::English)).build(),
        None => words.filter(Stemmer::new(Language::English)).build(),
    }
}

/// A part number, SKU or EAN without its signs, in lower case: `LC-51C` and `lc 51 c` are both `lc51c`.
/// None if too little is left to tell one thing from another.
#[must_use]
pub fn code(written: &str) -> Option<String> {
    const SHORTEST: usize = 3;
    let code: String =
        written.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    (code.chars().count() >= SHORTEST && code.len() <= MAX_TERM_BYTES).then_some(code)
}

/// What of a query could be a code, with the number of its words: each word, and up to four that follow
/// one another, that hold a digit.
#[must_use]
pub fn codes(text: &str) -> BTreeMap<String, usize> {
    const LONGEST_RUN: usize = 4;
    let words: Vec<&str> = text.split_whitespace().collect();
    (1..=LONGEST_RUN)
        .flat_map(|length| words.windows(length))
        .filter(|run| run.iter().any(|word| word.contains(|character: char| character.is_ascii_digit())))
        .filter_map(|run| Some((code(&run.concat())?, run.len())))
        .collect()
}

/// Makes the analyzers known to an index.
pub fn register(manager: &TokenizerManager) {
    manager.register(ENGLISH, english());
}

/// The terms of a text, in order, with their positions.
#[must_use]
pub fn terms(analyzer: &mut TextAnalyzer, text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    let mut stream = analyzer.token_stream(text);
    while stream.advance() {
        terms.push(stream.token().text.clone());
    }
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_same_however_they_are_written() {
        assert_eq!(code("LC-51C"), code("lc 51 c"));
        assert_eq!(code("--"), None);
        let found = codes("brother lc 51 c").into_iter().map(|(code, words)| format!("{code} {words}"));
        assert_eq!(found.collect::<Vec<_>>(), ["51c 2", "brotherlc51 3", "brotherlc51c 4", "lc51 2", "lc51c 3"]);
        assert!(codes("laptop bag").is_empty());
    }

    #[test]
    fn words_are_folded_stemmed_and_freed_of_stop_words() {
        let found = terms(&mut english(), "The Crème brûlée Machines for LC-51C");
        assert_eq!(found, ["creme", "brule", "machin", "lc", "51c"]);
    }
}
