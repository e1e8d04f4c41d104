//! What a query says beside its words: prices, exclusions and quoted phrases.
//!
//! `wireless mouse under 200 -bluetooth "left handed"` is the words `wireless mouse`, a price of at most 200,
//! products without `bluetooth`, and `left handed` as a phrase.

use serde::{Deserialize, Serialize};

mod money;
mod price;

pub use money::Money;
pub use price::Price;

/// Something that was read out of a query, for a storefront to show and to offer to undo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Understood {
    /// `price`, `without`, `phrase`, `brand`, `category`, `product_type` or `attribute`.
    pub kind: String,
    /// The part of the query.
    pub text: String,
    /// What it was read as: a filter in the filter language, or the words that must not occur.
    pub value: String,
    /// `filter` where it leaves products out, `boost` where it only moves them.
    pub effect: Effect,
}

/// What became of what was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = UnderstoodEffect)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Other products are left out.
    Filter,
    /// Products of that kind come earlier.
    Boost,
}

/// A query taken apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parts {
    /// The words that are looked for.
    pub words: String,
    /// Phrases that must occur.
    pub phrases: Vec<String>,
    /// Words, compounds such as `wi-fi` and phrases that must not occur.
    pub without: Vec<String>,
    /// What it may cost.
    pub price: Option<Price>,
}

/// A word of a query, or some between quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    Word(&'a str),
    Phrase(&'a str),
}

/// Takes a query apart. `prices` off leaves amounts in the words.
#[must_use]
pub fn parts(text: &str, prices: bool) -> Parts {
    let mut parts = Parts::default();
    let quoted = quoted(text);
    let pieces = pieces(&quoted);
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < pieces.len() {
        let next = pieces.get(at + 1);
        match (pieces[at], next) {
            (Piece::Word("-"), Some(Piece::Phrase(phrase))) => {
                parts.without.push((*phrase).to_owned());
                at += 2;
            }
            (Piece::Word(word), Some(Piece::Word(excluded) | Piece::Phrase(excluded)))
                if word.eq_ignore_ascii_case("without") && at > 0 =>
            {
                parts.without.push((*excluded).to_owned());
                at += 2;
            }
            (Piece::Word(word), _) => {
                if let Some(excluded) = excluded(word) {
                    parts.without.push(excluded.to_owned());
                    at += 1;
                    continue;
                }
                let words: Vec<&str> = pieces[at..].iter().map_while(|piece| piece.word()).collect();
                match price::price(&words, at == 0).filter(|_| prices && parts.price.is_none()) {
                    Some((price, length)) => {
                        parts.price = Some(price);
                        at += length;
                    }
                    None => {
                        kept.push(word);
                        at += 1;
                    }
                }
            }
            (Piece::Phrase(phrase), _) => {
                parts.phrases.push(phrase.to_owned());
                at += 1;
            }
        }
    }
    parts.words = kept.join(" ");
    parts
}

impl<'a> Piece<'a> {
    const fn word(&self) -> Option<&'a str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Phrase(_) => None,
        }
    }
}

/// What a word with a hyphen before it excludes; `-5` is a number.
fn excluded(word: &str) -> Option<&str> {
    let excluded = word.strip_prefix('-')?;
    (excluded.starts_with(char::is_alphanumeric) && excluded.contains(char::is_alphabetic)).then_some(excluded)
}

/// Words and phrases in order. A hyphen right before a quote is a word of its own.
fn pieces(quoted: &[String]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    for (index, piece) in quoted.iter().enumerate() {
        if index % 2 == 1 && !piece.trim().is_empty() {
            pieces.push(Piece::Phrase(piece.trim()));
            continue;
        }
        let closed = index % 2 == 0 && index + 1 < quoted.len() && piece.ends_with('-');
        // A hyphen that stands apart from the quote excludes nothing.
        pieces.extend(piece.split_whitespace().filter(|word| *word != "-").map(Piece::Word));
        if closed && piece.trim_end_matches('-').chars().next_back().is_none_or(char::is_whitespace) {
            pieces.push(Piece::Word("-"));
        }
    }
    pieces
}

/// Pieces outside and inside quotes, in turn. A quote right behind a digit is an inch: `17"`.
fn quoted(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut before = ' ';
    for character in text.chars() {
        let inch = before.is_ascii_digit() && pieces.len() % 2 == 1;
        if matches!(character, '"' | '“' | '”' | '„' | '«' | '»') && !inch {
            pieces.push(String::new());
        } else if let Some(piece) = pieces.last_mut() {
            piece.push(character);
        }
        before = character;
    }
    // A quote that is never closed quotes nothing.
    if pieces.len() % 2 == 0
        && let Some(open) = pieces.pop()
        && let Some(last) = pieces.last_mut()
    {
        last.push(' ');
        last.push_str(&open);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Bounds = Option<(Option<f64>, Option<f64>)>;

    fn price_of(text: &str) -> (String, Bounds) {
        let parts = parts(text, true);
        (parts.words, parts.price.map(|price| (price.from, price.to)))
    }

    #[test]
    fn prices_are_read() {
        assert_eq!(price_of("mouse under 200"), ("mouse".into(), Some((None, Some(200.0)))));
        assert_eq!(price_of("Under $1,200.50 laptop"), ("laptop".into(), Some((None, Some(1200.5)))));
        assert_eq!(price_of("tv between 300 and 500 euros"), ("tv".into(), Some((Some(300.0), Some(500.0)))));
        assert_eq!(price_of("headset more than 50 usd"), ("headset".into(), Some((Some(50.0), None))));
        assert_eq!(price_of("disk over 500 gb"), ("disk over 500 gb".into(), None));
        assert_eq!(price_of("under desk mount"), ("under desk mount".into(), None));
        assert_eq!(parts("mouse under 200", false).words, "mouse under 200");
    }

    #[test]
    fn exclusions_and_phrases_are_read() {
        let found = parts("speaker -bluetooth without battery \"left handed\" 17\"", true);
        assert_eq!(
            (found.words.as_str(), found.without.join(","), found.phrases.join(",")),
            ("speaker 17\"", "bluetooth,battery".into(), "left handed".into())
        );
        assert_eq!(parts("wi-fi -5 \"open", true).words, "wi-fi -5 open");
    }

    #[test]
    fn compounds_and_phrases_are_excluded_whole() {
        for (text, words, without) in [
            ("speaker -wi-fi", "speaker", vec!["wi-fi"]),
            ("charger without usb-c", "charger", vec!["usb-c"]),
            ("mouse -\"left handed\" red", "mouse red", vec!["left handed"]),
            ("mouse without “left handed”", "mouse", vec!["left handed"]),
            ("-4k tv -\"wall mount\" -3d", "tv", vec!["4k", "wall mount", "3d"]),
            ("mouse - \"left handed\"", "mouse", vec![]),
            ("without a name", "without a name", vec![]),
        ] {
            let found = parts(text, true);
            assert_eq!(
                (found.words.as_str(), found.without),
                (words, without.into_iter().map(str::to_owned).collect()),
                "{text}"
            );
        }
        assert_eq!(parts("a-\"b c\" d", true).phrases, ["b c"]);
    }

    proptest! {
        #[test]
        fn any_text_is_taken_apart(text in "(under|between|and|without|-|\"|“|€|[0-9]{1,3}| |\\PC){0,30}") {
            let _ = parts(&text, true);
        }
    }
}
