//! The languages that texts may be written in, and what each word is indexed as where that is not English alone:
//! as itself and as its stems, all at the place of the word.
//!
//! A stemmer knows words with their accents, and people type them without: beside the stem of the word as it is
//! written stands that of the word without accents, where they differ.

use std::{collections::HashSet, sync::Arc};
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, RawTokenizer, Stemmer, TextAnalyzer, Token, TokenFilter, TokenStream, Tokenizer,
};

/// Names of the languages, as settings have them.
const KNOWN: [(&str, Language); 14] = [
    ("danish", Language::Danish),
    ("dutch", Language::Dutch),
    ("english", Language::English),
    ("finnish", Language::Finnish),
    ("french", Language::French),
    ("german", Language::German),
    ("hungarian", Language::Hungarian),
    ("italian", Language::Italian),
    ("norwegian", Language::Norwegian),
    ("portuguese", Language::Portuguese),
    ("romanian", Language::Romanian),
    ("russian", Language::Russian),
    ("spanish", Language::Spanish),
    ("swedish", Language::Swedish),
];

/// Words that lose their vowel before another one: `l'imprimante`.
const FRENCH_ELISIONS: &[&str] =
    &["l", "d", "j", "m", "t", "s", "c", "n", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "quelqu", "presqu"];
/// The same of Italian: `dell'acqua`.
const ITALIAN_ELISIONS: &[&str] = &[
    "l", "d", "m", "t", "s", "v", "c", "n", "un", "gl", "dell", "all", "dall", "nell", "sull", "coll", "pell", "degl",
    "agl", "dagl", "negl", "sugl", "quell", "quest", "bell", "nessun",
];

/// The names of the languages a text may be in.
pub fn names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|(name, _)| *name)
}

/// The languages of a setting, those that are unknown left out; English if none is left.
pub(super) fn parsed(names: &[String]) -> Vec<Language> {
    let known = |name: &String| KNOWN.iter().find(|(known, _)| known == name).map(|(_, language)| *language);
    let found: Vec<Language> = names.iter().filter_map(known).collect();
    if found.is_empty() { vec![Language::English] } else { found }
}

/// What is left out before an apostrophe in some languages.
pub(super) fn elisions(languages: &[Language]) -> Vec<&'static str> {
    let of = |language: &Language| match language {
        Language::French => FRENCH_ELISIONS,
        Language::Italian => ITALIAN_ELISIONS,
        _ => &[],
    };
    languages.iter().flat_map(of).copied().collect()
}

/// Replaces each word by its stems; see [`Self::new`].
#[derive(Clone)]
pub(super) struct Stems {
    languages: Vec<(Language, TextAnalyzer)>,
    folding: TextAnalyzer,
    left_out: Arc<HashSet<String>>,
    all: bool,
}

impl Stems {
    /// `stemmed` in each language, the first of which comes first; `all`: every stem and the word itself, or the
    /// first alone. Words that are left out are told by how they are written without accents.
    pub fn new(stemmed: &[Language], left_out: HashSet<String>, all: bool) -> Self {
        let stemmer = |language: &Language| {
            let stemmer = TextAnalyzer::builder(RawTokenizer::default()).filter(Stemmer::new(*language)).build();
            (*language, stemmer)
        };
        Self {
            languages: stemmed.iter().map(stemmer).collect(),
            folding: TextAnalyzer::builder(RawTokenizer::default()).filter(AsciiFoldingFilter).build(),
            left_out: Arc::new(left_out),
            all,
        }
    }

    /// What a word in lower case is indexed as, each once; nothing if it is left out.
    fn stems(&mut self, word: &str) -> Vec<String> {
        let plain = fold(&mut self.folding, word);
        if self.left_out.contains(&plain) {
            return Vec::new();
        }
        let mut found: Vec<String> = Vec::new();
        // Codes and measures are no words of a language.
        if !plain.contains(|letter: char| letter.is_ascii_digit()) {
            for (language, stemmer) in &mut self.languages {
                if *language == Language::English {
                    let mut one = plain.clone();
                    super::english::singular(&mut one);
                    add(&mut found, one);
                } else {
                    let stem = only(stemmer, word);
                    add(&mut found, fold(&mut self.folding, &stem));
                    if plain != word {
                        add(&mut found, only(stemmer, &plain));
                    }
                }
                if !self.all && !found.is_empty() {
                    found.truncate(1);
                    return found;
                }
            }
        }
        if self.all || found.is_empty() {
            add(&mut found, plain);
        }
        found
    }
}

fn add(found: &mut Vec<String>, term: String) {
    if !term.is_empty() && !found.contains(&term) {
        found.push(term);
    }
}

fn fold(folding: &mut TextAnalyzer, word: &str) -> String {
    if word.is_ascii() { word.to_owned() } else { only(folding, word) }
}

/// The one token that an analyzer of whole texts makes of a word.
fn only(analyzer: &mut TextAnalyzer, word: &str) -> String {
    super::terms(analyzer, word).pop().unwrap_or_default()
}

impl TokenFilter for Stems {
    type Tokenizer<T: Tokenizer> = StemTokenizer<T>;

    fn transform<T: Tokenizer>(self, tokenizer: T) -> StemTokenizer<T> {
        StemTokenizer { stems: self, tokenizer }
    }
}

/// See [`Stems`].
#[derive(Clone)]
pub(super) struct StemTokenizer<T> {
    stems: Stems,
    tokenizer: T,
}

impl<T: Tokenizer> Tokenizer for StemTokenizer<T> {
    type TokenStream<'a> = StemStream<'a, T::TokenStream<'a>>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Self::TokenStream<'a> {
        let Self { stems, tokenizer } = self;
        StemStream { stems, words: tokenizer.token_stream(text), waiting: Vec::new() }
    }
}

/// See [`Stems`].
pub(super) struct StemStream<'a, S> {
    stems: &'a mut Stems,
    words: S,
    /// Stems of the present word, the next one last.
    waiting: Vec<String>,
}

impl<S: TokenStream> TokenStream for StemStream<'_, S> {
    fn advance(&mut self) -> bool {
        while self.waiting.is_empty() {
            if !self.words.advance() {
                return false;
            }
            self.waiting = self.stems.stems(&self.words.token().text);
            self.waiting.reverse();
        }
        if let Some(next) = self.waiting.pop() {
            self.words.token_mut().text = next;
        }
        true
    }

    fn token(&self) -> &Token {
        self.words.token()
    }

    fn token_mut(&mut self) -> &mut Token {
        self.words.token_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzer::{self, Analysis};

    fn settings(languages: &[&str]) -> Analysis {
        Analysis { languages: languages.iter().map(|name| (*name).to_owned()).collect(), ..Analysis::default() }
    }

    /// What a query's text is looked for as first.
    fn query(languages: &[&str], text: &str) -> Vec<String> {
        analyzer::terms(&mut analyzer::of_queries(&settings(languages)), text)
    }

    /// What a product's text is found as.
    fn text(languages: &[&str], text: &str) -> Vec<String> {
        analyzer::terms(&mut analyzer::of_texts(&settings(languages)), text)
    }

    #[test]
    fn words_of_a_language_lose_their_endings() {
        for (language, one, other) in [
            ("danish", "printere", "printeren"),
            ("dutch", "lampen", "lamp"),
            ("english", "batteries", "battery"),
            ("finnish", "tulostimessa", "tulostimesta"),
            ("french", "imprimantes", "imprimante"),
            ("german", "Druckern", "Drucker"),
            ("hungarian", "nyomtatók", "nyomtató"),
            ("italian", "stampanti", "stampante"),
            ("norwegian", "skrivere", "skriveren"),
            ("portuguese", "impressoras", "impressora"),
            ("romanian", "imprimantele", "imprimante"),
            ("russian", "принтеры", "принтера"),
            ("spanish", "impresoras", "impresora"),
            ("swedish", "skrivare", "skrivaren"),
        ] {
            assert_eq!(query(&[language], one), query(&[language], other), "{language}");
            assert_eq!(query(&[language], one).len(), 1, "{language}");
            let indexed = text(&[language], other);
            assert!(query(&[language], one).iter().all(|term| indexed.contains(term)), "{language}: {indexed:?}");
        }
        assert_eq!(names().count(), KNOWN.len());
    }

    #[test]
    fn english_alone_is_as_it_was() {
        let written = "The Crème brûlée Machines for 15.6\" l'eau d'encre Wi-Fi printers";
        assert_eq!(text(&["english"], written), analyzer::terms(&mut analyzer::english(), written));
        let expected = ["creme", "brulee", "machine", "15.6", "15.6inch", "l", "eau", "d", "encre"];
        assert_eq!(text(&["english"], written)[..9], expected);
    }

    #[test]
    fn what_loses_its_vowel_before_another_is_no_word() {
        assert_eq!(query(&["french"], "L'imprimante d’encre"), query(&["french"], "imprimante encre"));
        assert_eq!(query(&["italian"], "dell'acqua un'auto"), query(&["italian"], "acqua auto"));
        assert_eq!(query(&["english", "french"], "l'eau"), ["eau"]);
        // Nothing follows that could be meant.
        assert_eq!(query(&["english", "french"], "l' d"), ["l", "d"]);
    }

    #[test]
    fn accents_and_sharp_s_may_be_left_out() {
        assert_eq!(query(&["german"], "Großes"), query(&["german"], "grosses"));
        let written = text(&["french"], "imprimées");
        for typed in ["imprimées", "imprimees", "imprimée"] {
            let looked_for = query(&["french"], typed);
            assert!(looked_for.iter().all(|term| written.contains(term)), "{typed}: {looked_for:?} in {written:?}");
        }
        assert!(query(&["french"], "les et à la").is_empty());
    }

    #[test]
    fn texts_in_several_languages_have_the_stems_of_each_at_the_place_of_the_word() {
        let mut analyzer = analyzer::of_texts(&settings(&["english", "german"]));
        let mut stream = analyzer.token_stream("Druckern");
        let mut found = Vec::new();
        while stream.advance() {
            let token = stream.token();
            found.push((token.text.clone(), token.position, token.offset_from, token.offset_to));
        }
        assert_eq!(found, [("druckern".to_owned(), 0, 0, 8), ("druck".to_owned(), 0, 0, 8)]);
        // The first language's alone is what queries and vocabularies compare.
        assert_eq!(query(&["english", "german"], "printers Druckern"), ["printer", "druckern"]);
        // Codes and measures have no stem, and the first language's stop words alone are left out.
        assert_eq!(query(&["german"], "LC-51es 2 TB hat"), ["lc", "51es", "2000000mb"]);
        assert_eq!(query(&["english", "german"], "the hat"), ["hat"]);
    }

    #[test]
    fn settings_of_words_hold_in_every_language() {
        let mut settings = settings(&["german"]);
        settings.stop_words = vec!["Günstige".to_owned()];
        assert_eq!(analyzer::terms(&mut analyzer::of_queries(&settings), "neue günstige Lampen"), ["neu", "lamp"]);
        settings.plurals = false;
        assert_eq!(analyzer::terms(&mut analyzer::of_texts(&settings), "günstige Lampen"), ["lampen"]);
    }
}
