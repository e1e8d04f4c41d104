//! Words in small letters, and what is done to each word of a text.

use super::form::Form;
use tantivy::tokenizer::{AsciiFoldingFilter, RawTokenizer, TextAnalyzer, Token, TokenFilter, TokenStream, Tokenizer};

/// Accents that stand apart from their letter even in the composed form.
const fn is_apart(sign: char) -> bool {
    matches!(sign, '\u{300}'..='\u{36f}')
}

/// Puts a word into small letters: those that differ by place or by language are one, so `İ` is `i` and `ς` is `σ`.
pub(super) fn small(word: &mut String) {
    if word.is_ascii() {
        word.make_ascii_lowercase();
        return;
    }
    let letters = word.chars().flat_map(char::to_lowercase).filter(|letter| !is_apart(*letter));
    *word = letters.map(|letter| if letter == 'ς' { 'σ' } else { letter }).collect();
}

/// A text in one form and in small letters, with its accents: what one shopper typed is what another did.
#[must_use]
pub fn small_letters(text: &str) -> String {
    let mut text = Form::of(text).into_text().into_owned();
    small(&mut text);
    text
}

/// A text as people compare it: one form, small letters, no accents; signs and spaces stay.
#[must_use]
pub fn folded(text: &str) -> String {
    let text = small_letters(text);
    if text.is_ascii() {
        return text;
    }
    let mut folding = TextAnalyzer::builder(RawTokenizer::default()).filter(AsciiFoldingFilter).build();
    super::terms(&mut folding, &text).pop().unwrap_or_default()
}

/// Puts every word into small letters.
#[derive(Debug, Clone, Copy)]
pub(super) struct SmallLetters;

impl TokenFilter for SmallLetters {
    type Tokenizer<T: Tokenizer> = EachTokenizer<T>;

    fn transform<T: Tokenizer>(self, tokenizer: T) -> EachTokenizer<T> {
        EachWord(small).transform(tokenizer)
    }
}

/// Does something to each word.
#[derive(Debug, Clone, Copy)]
pub(super) struct EachWord(pub fn(&mut String));

impl TokenFilter for EachWord {
    type Tokenizer<T: Tokenizer> = EachTokenizer<T>;

    fn transform<T: Tokenizer>(self, tokenizer: T) -> EachTokenizer<T> {
        EachTokenizer { change: self.0, tokenizer }
    }
}

/// See [`EachWord`].
#[derive(Clone)]
pub(super) struct EachTokenizer<T> {
    change: fn(&mut String),
    tokenizer: T,
}

impl<T: Tokenizer> Tokenizer for EachTokenizer<T> {
    type TokenStream<'a> = EachStream<T::TokenStream<'a>>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Self::TokenStream<'a> {
        EachStream { change: self.change, words: self.tokenizer.token_stream(text) }
    }
}

/// See [`EachWord`].
pub(super) struct EachStream<S> {
    change: fn(&mut String),
    words: S,
}

impl<S: TokenStream> TokenStream for EachStream<S> {
    fn advance(&mut self) -> bool {
        let more = self.words.advance();
        if more {
            (self.change)(&mut self.words.token_mut().text);
        }
        more
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

    #[test]
    fn letters_are_one_whatever_their_case_place_or_accent() {
        for (one, other) in [
            ("İSTANBUL", "istanbul"),
            ("İnci", "inci"),
            ("ΟΔΟΣ", "οδος"),
            ("STRASSE", "straße"),
            ("Bohème", "BOHE\u{300}ME"),
            ("Ⓒafé №1", "cafe no1"),
            ("x\u{30c}y", "xy"),
        ] {
            assert_eq!(folded(one), folded(other), "{one}");
        }
    }
}
