//! How text becomes terms, for documents and queries alike.

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

/// What of a query could be a code: each word, and up to four that follow one another, that hold a digit.
#[must_use]
pub fn codes(text: &str) -> Vec<String> {
    const LONGEST_RUN: usize = 4;
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut codes: Vec<String> = (1..=LONGEST_RUN)
        .flat_map(|length| words.windows(length))
        .filter(|run| run.iter().any(|word| word.contains(|character: char| character.is_ascii_digit())))
        .filter_map(|run| code(&run.concat()))
        .collect();
    codes.sort();
    codes.dedup();
    codes
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
        assert_eq!(codes("brother lc 51 c"), ["51c", "brotherlc51", "brotherlc51c", "lc51", "lc51c"]);
        assert_eq!(codes("laptop bag"), [""; 0]);
    }

    #[test]
    fn words_are_folded_stemmed_and_freed_of_stop_words() {
        let found = terms(&mut english(), "The Crème brûlée Machines for LC-51C");
        assert_eq!(found, ["creme", "brule", "machin", "lc", "51c"]);
    }
}
