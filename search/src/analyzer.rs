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
    fn words_are_folded_stemmed_and_freed_of_stop_words() {
        let found = terms(&mut english(), "The Crème brûlée Machines for LC-51C");
        assert_eq!(found, ["creme", "brule", "machin", "lc", "51c"]);
    }
}
