//! The tokenizer: words, numbers with their decimals, measures, and words that a hyphen joins.

use super::{
    form::{Form, is_mark},
    units,
};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// Splits text into words. A measure is one token beside its number; `wi-fi` is two and `wifi`.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// For queries: a measure alone, without its number, and hyphens only separate.
    pub narrow: bool,
    /// Words in lower case that are left out where an apostrophe joins them to the next one: the `l` of `l'eau`.
    pub elisions: Vec<&'static str>,
}

/// The tokens of a text.
#[derive(Debug)]
pub struct WordStream {
    tokens: std::vec::IntoIter<Token>,
    current: Token,
}

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream {
        let form = Form::of(text);
        let mut tokens = split(form.text(), self);
        for token in &mut tokens {
            (token.offset_from, token.offset_to) = form.written(token.offset_from, token.offset_to);
        }
        WordStream { tokens: tokens.into_iter(), current: Token::default() }
    }
}

impl TokenStream for WordStream {
    fn advance(&mut self) -> bool {
        match self.tokens.next() {
            Some(token) => {
                self.current = token;
                true
            }
            None => false,
        }
    }

    fn token(&self) -> &Token {
        &self.current
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.current
    }
}

/// Longest part of a hyphenated word that is also written without the hyphen: `wi-fi`, `e-mail`, `t-shirt`.
const SHORT_PART: usize = 3;

fn split(text: &str, settings: &Words) -> Vec<Token> {
    let narrow = settings.narrow;
    let mut tokens: Vec<Token> = Vec::new();
    let (mut at, mut position) = (0, 0);
    let token = |from: usize, to: usize, text: String, position| Token {
        offset_from: from,
        offset_to: to,
        position,
        text,
        position_length: 1,
    };
    while let Some(start) = text[at..].find(char::is_alphanumeric).map(|found| at + found) {
        if let Some((number, end)) = number(&text[start..]) {
            let end = start + end;
            let measured = unit(&text[end..]).and_then(|(unit, length, apart)| {
                Some((units::measure(number.parse().ok()?, unit, apart)?, end + length))
            });
            match measured {
                Some((measure, to)) => {
                    if !narrow {
                        tokens.push(token(start, end, number, position));
                    }
                    tokens.push(token(start, to, measure, position));
                    at = to;
                    position += 1;
                    continue;
                }
                // A number that ends here; `51c` is a word.
                None if !text[end..].starts_with(char::is_alphanumeric) => {
                    tokens.push(token(start, end, number, position));
                    at = end;
                    position += 1;
                    continue;
                }
                None => {}
            }
        }
        let end = word_end(text, start);
        if let Some(next) = elided(&text[start..end], &text[end..], &settings.elisions) {
            at = end + next;
            continue;
        }
        tokens.push(token(start, end, text[start..end].to_owned(), position));
        if !narrow && let Some((from, joined)) = joined(text, &tokens, start, end) {
            tokens.push(token(from, end, joined, position));
        }
        position += 1;
        // A genitive's `'s` is no word.
        at = end + genitive(&text[end..]);
    }
    tokens
}

fn word_end(text: &str, start: usize) -> usize {
    text[start..].find(|c: char| !c.is_alphanumeric() && !is_mark(c)).map_or(text.len(), |length| start + length)
}

/// How many bytes a genitive's `'s` takes behind a word, however the apostrophe is written.
fn genitive(rest: &str) -> usize {
    const APOSTROPHES: [char; 6] = ['\'', '’', '‘', 'ʼ', '`', '′'];
    let Some(apostrophe) = rest.chars().next().filter(|sign| APOSTROPHES.contains(sign)) else { return 0 };
    let behind = &rest[apostrophe.len_utf8()..];
    let ends = behind.starts_with(['s', 'S']) && !behind[1..].starts_with(char::is_alphanumeric);
    if ends { apostrophe.len_utf8() + 1 } else { 0 }
}

/// How many bytes an apostrophe takes behind a word that it joins to the next, if that is left out.
fn elided(word: &str, rest: &str, elisions: &[&str]) -> Option<usize> {
    if elisions.is_empty() {
        return None;
    }
    let apostrophe = ["'", "’"].into_iter().find(|apostrophe| rest.starts_with(apostrophe))?;
    let joined = rest[apostrophe.len()..].starts_with(char::is_alphanumeric);
    (joined && elisions.contains(&word.to_lowercase().as_str())).then_some(apostrophe.len())
}

/// A number at the start of a text, thousands and decimals read, and its length in bytes.
fn number(text: &str) -> Option<(String, usize)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    if whole == 0 {
        return None;
    }
    let (mut number, mut end) = (text[..whole].to_owned(), whole);
    let mut groups = false;
    while text[end..].starts_with(',') && digits(&text[end + 1..]) == 3 && number.len() <= 9 && (groups || whole <= 3) {
        number.push_str(&text[end + 1..end + 4]);
        end += 4;
        groups = true;
    }
    if text[end..].starts_with(['.', ',']) {
        let decimals = digits(&text[end + 1..]);
        // `1.2.3` is no number, and neither is a full stop.
        if decimals > 0 && !text[end + 1 + decimals..].starts_with('.') {
            number.push('.');
            number.push_str(&text[end + 1..end + 1 + decimals]);
            end += 1 + decimals;
        }
    }
    Some((number, end))
}

/// A unit right behind a number, its length with what stands between, and whether a space does.
fn unit(text: &str) -> Option<(&str, usize, bool)> {
    let skipped = text.len() - text.trim_start_matches([' ', '\u{a0}', '-']).len();
    let apart = text.starts_with([' ', '\u{a0}']);
    let rest = &text[skipped..];
    if skipped > 2 {
        return None;
    }
    for sign in ["\"", "''", "”", "″"] {
        if rest.starts_with(sign) && !apart {
            return Some((sign, skipped + sign.len(), apart));
        }
    }
    let length = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let ends = !rest[length..].starts_with(char::is_alphanumeric);
    (length > 0 && ends).then(|| (&rest[..length], skipped + length, apart))
}

/// The word before and this one without the hyphen between them, if one of the two is short.
fn joined(text: &str, tokens: &[Token], start: usize, end: usize) -> Option<(usize, String)> {
    let before = tokens.len().checked_sub(2).and_then(|index| tokens.get(index))?;
    if before.offset_to + 1 != start || &text[before.offset_to..start] != "-" {
        return None;
    }
    let (left, right) = (&text[before.offset_from..before.offset_to], &text[start..end]);
    let letters = |word: &str| word.chars().all(char::is_alphabetic);
    let short = |word: &str| word.chars().count() <= SHORT_PART;
    let joined = letters(left) && letters(right) && (short(left) || short(right));
    joined.then(|| (before.offset_from, format!("{left}{right}")))
}
