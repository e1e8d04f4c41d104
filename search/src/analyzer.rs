//! How text becomes terms, for documents and queries alike.

use crate::background::Throttle;
use letters::{EachWord, SmallLetters};
use std::collections::HashSet;
use tantivy::{
    Index,
    tokenizer::{
        AsciiFoldingFilter, BoxTokenStream, Language, RemoveLongFilter, StopWordFilter, TextAnalyzer, TokenStream,
        Tokenizer, TokenizerManager,
    },
};

mod analysis;
mod english;
mod form;
mod languages;
mod letters;
mod units;
mod words;

pub use analysis::Analysis;
pub use form::{Form, composed};
pub use languages::names as languages;
pub use letters::{folded, small_letters};
pub use words::Words;

/// Raised with every change of what the analyzers yield; part of a generation's manifest.
pub const ANALYZER_VERSION: u32 = 4;

/// The text of products in the languages of the bundle: words and measures, lower case, accents folded, stop
/// words out, plurals or endings taken off. Indexes know it by this name whatever the languages are.
pub const ENGLISH: &str = "souk_english";
/// The same for what shoppers type: one term for each word.
const ENGLISH_QUERY: &str = "souk_english_query";
/// The same with every stem of each word, where it may have several.
const READINGS: &str = "souk_readings";
/// Words as people read them: lower case, accents folded, nothing else.
pub const PLAIN: &str = "souk_plain";

/// Longest term in bytes of codes and of words as people read them.
const MAX_TERM_BYTES: usize = 64;

/// The analyzer of the text fields as it is shipped, for documents; an index has the one of its bundle.
#[must_use]
pub fn english() -> TextAnalyzer {
    of_texts(&Analysis::default())
}

/// The analyzer of the text fields as it is shipped, for queries; [`of_index`] gives the one of a bundle.
#[must_use]
pub fn english_query() -> TextAnalyzer {
    of_queries(&Analysis::default())
}

/// The analyzer of the text fields with some settings, for documents.
#[must_use]
pub fn of_texts(settings: &Analysis) -> TextAnalyzer {
    analyzer(settings, false, true)
}

/// The analyzer of the text fields with some settings, for queries: one term for each word.
#[must_use]
pub fn of_queries(settings: &Analysis) -> TextAnalyzer {
    analyzer(settings, true, false)
}

/// The analyzer of an index's text fields, for queries: one term for each word.
#[must_use]
pub fn of_index(index: &Index) -> TextAnalyzer {
    index.tokenizers().get(ENGLISH_QUERY).unwrap_or_else(english_query)
}

/// The analyzer of an index's text fields, for documents.
#[must_use]
pub fn of_documents(index: &Index) -> TextAnalyzer {
    index.tokenizers().get(ENGLISH).unwrap_or_else(english)
}

/// The analyzer that gives a query's word all of its stems; none if each has but one.
#[must_use]
pub fn readings(index: &Index) -> Option<TextAnalyzer> {
    index.tokenizers().get(READINGS)
}

/// English loses its plurals only: shoppers tell `gaming` from `game` and `printer` from `printing`, and on
/// judged queries a light stemmer did better than Snowball's (docs/notes/relevance.md). Other languages have Snowball's
/// (decision 0019). `all`: every stem of a word and the word itself, where English is not the only language.
fn analyzer(settings: &Analysis, narrow: bool, all: bool) -> TextAnalyzer {
    let languages = languages::parsed(&settings.languages);
    let words = TextAnalyzer::builder(Words { narrow, elisions: languages::elisions(&languages) })
        .filter(RemoveLongFilter::limit(settings.longest_term))
        .filter(SmallLetters)
        .dynamic();
    let stop_words = languages.first().and_then(|first| StopWordFilter::new(*first));
    let mut plain = plain();
    let left_out: HashSet<String> = settings.stop_words.iter().flat_map(|word| terms(&mut plain, word)).collect();
    if languages != [Language::English] {
        let words = match stop_words {
            Some(stop_words) => words.filter_dynamic(stop_words),
            None => words,
        };
        let stemmed = if settings.plurals { languages.as_slice() } else { &[] };
        return words.filter_dynamic(languages::Stems::new(stemmed, left_out, all)).build();
    }
    let words = words.filter_dynamic(AsciiFoldingFilter);
    let words = match stop_words {
        Some(stop_words) => words.filter_dynamic(stop_words),
        None => words,
    };
    let words = if left_out.is_empty() { words } else { words.filter_dynamic(StopWordFilter::remove(left_out)) };
    if settings.plurals { words.filter_dynamic(EachWord(english::singular)).build() } else { words.build() }
}

/// The analyzer of words as people read them.
#[must_use]
pub fn plain() -> TextAnalyzer {
    TextAnalyzer::builder(Words { narrow: true, elisions: Vec::new() })
        .filter(RemoveLongFilter::limit(MAX_TERM_BYTES))
        .filter(SmallLetters)
        .filter(AsciiFoldingFilter)
        .build()
}

/// A part number, SKU or EAN without its signs, in lower case: `LC-51C` and `lc 51 c` are both `lc51c`.
/// None if too little is left to tell one thing from another.
#[must_use]
pub fn code(written: &str) -> Option<String> {
    const SHORTEST: usize = 3;
    let form = Form::of(written);
    let mut code: String = form.text().chars().filter(|character| character.is_alphanumeric()).collect();
    letters::small(&mut code);
    (code.chars().count() >= SHORTEST && code.len() <= MAX_TERM_BYTES).then_some(code)
}

/// A GTIN (EAN, UPC, ISBN-13) as a term: it is a number, and stands for the same with zeros before it or without.
/// None for what can't be one.
#[must_use]
pub fn gtin(code: &str) -> Option<String> {
    let is_one = (6..=18).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit());
    let number = code.trim_start_matches('0');
    (is_one && !number.is_empty()).then(|| format!("gtin:{number}"))
}

/// Words of a text that could be a code together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRun {
    /// The code they would be; see [`code`].
    pub code: String,
    /// How many words they are.
    pub words: usize,
    /// Where they stand in the text, in bytes.
    pub span: (usize, usize),
}

/// What of a text could be a code: each word, and up to four that follow one another, that hold a digit;
/// the shorter runs first.
#[must_use]
pub fn codes(text: &str) -> Vec<CodeRun> {
    const LONGEST_RUN: usize = 4;
    let place = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    let spans: Vec<_> = text.split_whitespace().map(|word| (place(word), place(word) + word.len())).collect();
    let run = |run: &[(usize, usize)]| {
        let span = (run.first()?.0, run.last()?.1);
        let written = &text[span.0..span.1];
        let numbered = written.contains(|character: char| character.is_ascii_digit());
        Some(CodeRun { code: code(written).filter(|_| numbered)?, words: run.len(), span })
    };
    (1..=LONGEST_RUN).flat_map(|length| spans.windows(length)).filter_map(run).collect()
}

/// Whether an English word has the form of a plural.
#[must_use]
pub fn is_plural(word: &str) -> bool {
    english::is_plural(&folded(word))
}

/// Whether a word is a unit of measure that may stand apart from its number.
#[must_use]
pub fn is_unit(word: &str) -> bool {
    units::measure(1.0, word, true).is_some()
}

/// Makes the analyzers known to an index.
pub fn register(manager: &TokenizerManager, settings: &Analysis) {
    manager.register(ENGLISH, of_texts(settings));
    manager.register(ENGLISH_QUERY, of_queries(settings));
    if languages::parsed(&settings.languages) != [Language::English] {
        manager.register(READINGS, analyzer(settings, true, true));
    }
    manager.register(PLAIN, plain());
}

/// Has the analyzers of documents rest as a throttle asks for: they run on the thread that the engine indexes on.
pub fn throttle_documents(manager: &TokenizerManager, throttle: &Throttle) {
    for name in [ENGLISH, PLAIN] {
        if let (true, Some(analyzer)) = (throttle.may_rest(), manager.get(name)) {
            manager.register(name, TextAnalyzer::builder(Throttled { throttle: throttle.clone(), analyzer }).build());
        }
    }
}

/// See [`throttle_documents`].
#[derive(Clone)]
struct Throttled {
    throttle: Throttle,
    analyzer: TextAnalyzer,
}

impl Tokenizer for Throttled {
    type TokenStream<'a> = BoxTokenStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> BoxTokenStream<'a> {
        // Work that has ended ends where it writes.
        let _ = self.throttle.rest();
        self.analyzer.token_stream(text)
    }
}

/// The terms of a text, in order.
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
    use proptest::prelude::*;

    #[test]
    fn codes_are_the_same_however_they_are_written() {
        assert_eq!(code("LC-51C"), code("lc 51 c"));
        assert_eq!(code("--"), None);
        let found = codes("brother lc 51 c").into_iter().map(|run| format!("{} {}", run.code, run.words));
        assert_eq!(found.collect::<Vec<_>>(), ["lc51 2", "51c 2", "brotherlc51 3", "lc51c 3", "brotherlc51c 4"]);
        assert_eq!(codes("a lc 51").first().map(|run| run.span), Some((2, 7)));
        assert!(codes("laptop bag").is_empty());
    }

    #[test]
    fn a_gtin_is_a_number() {
        for same in ["711719814153", "0711719814153", "00711719814153"] {
            assert_eq!(gtin(same).as_deref(), Some("gtin:711719814153"));
        }
        for none in ["0000000", "12345", "71171981415x", "lc51c"] {
            assert_eq!(gtin(none), None);
        }
    }

    #[test]
    fn words_are_folded_and_freed_of_plurals_and_stop_words() {
        let found = terms(&mut english(), "The Crème brûlée Machines for Batteries, boxes, cases and glass: LC-51C");
        assert_eq!(found, ["creme", "brulee", "machine", "battery", "box", "case", "glass", "lc", "51c"]);
    }

    #[test]
    fn measures_have_one_spelling() {
        let query = |text: &str| terms(&mut english_query(), text);
        assert_eq!(query("2 tb"), query("2000GB"));
        assert_eq!(query("2TB"), ["2000000mb"]);
        assert_eq!(query("15.6 inch"), query("15.6\""));
        assert_eq!(query("15,6''"), ["15.6inch"]);
        assert_eq!(query("17\""), query("17-inch"));
        assert_eq!(query("1,000W and 2.4 GHz"), ["1000w", "2400000000hz"]);
        assert_eq!(query("3 in 1 charger"), ["3", "1", "charger"]);
        assert_eq!(
            terms(&mut english(), "39.6 cm (15.6\") i5-8250U"),
            ["39.6", "396mm", "15.6", "15.6inch", "i5", "8250u"]
        );
    }

    #[test]
    fn short_parts_are_joined_beside() {
        assert_eq!(terms(&mut english(), "Wi-Fi router"), ["wi", "fi", "wifi", "router"]);
        assert_eq!(terms(&mut english(), "noise-cancelling men's"), ["noise", "cancelling", "man"]);
    }

    proptest! {
        #[test]
        fn any_text_is_split(text in "(\\PC|[0-9.,\"' -]){0,60}") {
            for mut analyzer in [english(), english_query(), plain()] {
                let mut stream = analyzer.token_stream(&text);
                while stream.advance() {
                    let token = stream.token();
                    prop_assert!(text.get(token.offset_from..token.offset_to).is_some(), "{token:?}");
                }
            }
        }
    }
}
