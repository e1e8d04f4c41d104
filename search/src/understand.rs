//! What a query says beside its words: prices, exclusions and quoted phrases.
//!
//! `wireless mouse under 200 -bluetooth "left handed"` is the words `wireless mouse`, a price of at most 200,
//! products without `bluetooth`, and `left handed` as a phrase.

use serde::{Deserialize, Serialize};

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
    /// Words that must not occur.
    pub without: Vec<String>,
    /// Least and greatest price in major units, with the words that said so.
    pub price: Option<(Option<f64>, Option<f64>, String)>,
}

/// Words before an amount that make it the greatest.
const AT_MOST: &[&[&str]] = &[
    &["under"],
    &["below"],
    &["less", "than"],
    &["cheaper", "than"],
    &["up", "to"],
    &["at", "most"],
    &["max"],
    &["maximum"],
];
/// Words before an amount that make it the least.
const AT_LEAST: &[&[&str]] = &[&["over"], &["above"], &["more", "than"], &["at", "least"], &["min"], &["minimum"]];

/// Takes a query apart. `prices` off leaves amounts in the words.
#[must_use]
pub fn parts(text: &str, prices: bool) -> Parts {
    let mut parts = Parts::default();
    let mut rest = String::new();
    for (index, piece) in quoted(text).into_iter().enumerate() {
        if index % 2 == 1 && !piece.trim().is_empty() {
            parts.phrases.push(piece.trim().to_owned());
        } else {
            rest.push_str(&piece);
            rest.push(' ');
        }
    }
    let words: Vec<&str> = rest.split_whitespace().collect();
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < words.len() {
        if let Some(word) = words[at].strip_prefix('-').filter(|word| word.starts_with(char::is_alphabetic)) {
            parts.without.push(word.to_owned());
            at += 1;
        } else if words[at].eq_ignore_ascii_case("without") && at + 1 < words.len() && at > 0 {
            parts.without.push(words[at + 1].to_owned());
            at += 2;
        } else if prices
            && parts.price.is_none()
            && let Some((from, to, length)) = price(&words[at..])
        {
            parts.price = Some((from, to, words[at..at + length].join(" ")));
            at += length;
        } else {
            kept.push(words[at]);
            at += 1;
        }
    }
    parts.words = kept.join(" ");
    parts
}

/// Pieces outside and inside quotes, in turn. A quote right behind a digit is an inch: `17"`.
fn quoted(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut before = ' ';
    for character in text.chars() {
        let inch = before.is_ascii_digit() && pieces.len() % 2 == 1;
        if character == '"' && !inch {
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

/// A price at the start of some words: least, greatest, and how many words say it.
fn price(words: &[&str]) -> Option<(Option<f64>, Option<f64>, usize)> {
    let starts = |phrase: &&&[&str]| {
        phrase.len() < words.len() && phrase.iter().zip(words).all(|(wanted, word)| word.eq_ignore_ascii_case(wanted))
    };
    if let Some(phrase) = AT_MOST.iter().find(starts) {
        let (amount, length) = amount(&words[phrase.len()..])?;
        return Some((None, Some(amount), phrase.len() + length));
    }
    if let Some(phrase) = AT_LEAST.iter().find(starts) {
        let (amount, length) = amount(&words[phrase.len()..])?;
        return Some((Some(amount), None, phrase.len() + length));
    }
    if words.first()?.eq_ignore_ascii_case("between") {
        let (low, first) = amount(&words[1..])?;
        let middle = words.get(1 + first)?;
        if !["and", "to", "-"].iter().any(|word| middle.eq_ignore_ascii_case(word)) {
            return None;
        }
        let (high, second) = amount(&words[2 + first..])?;
        return Some((Some(low.min(high)), Some(low.max(high)), 2 + first + second));
    }
    None
}

/// An amount of money at the start of some words. One that is followed by a unit is no price.
fn amount(words: &[&str]) -> Option<(f64, usize)> {
    const MONEY: [&str; 6] = ["$", "€", "£", "usd", "eur", "gbp"];
    const SPOKEN: [&str; 9] = ["usd", "eur", "gbp", "dollar", "dollars", "euro", "euros", "pound", "pounds"];
    let first = words.first()?.to_lowercase();
    let number = MONEY.iter().fold(first.as_str(), |text, sign| text.trim_start_matches(sign).trim_end_matches(sign));
    let value: f64 = number.replace(',', "").parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0)?;
    if !number.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let Some(next) = words.get(1) else { return Some((value, 1)) };
    if SPOKEN.iter().any(|word| next.eq_ignore_ascii_case(word)) {
        return Some((value, 2));
    }
    let measured = crate::analyzer::is_unit(next);
    (!measured).then_some((value, 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Bounds = Option<(Option<f64>, Option<f64>)>;

    fn price_of(text: &str) -> (String, Bounds) {
        let parts = parts(text, true);
        (parts.words, parts.price.map(|(from, to, _)| (from, to)))
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

    proptest! {
        #[test]
        fn any_text_is_taken_apart(text in "(under|between|and|-|\"|[0-9]{1,3}| |\\PC){0,30}") {
            let _ = parts(&text, true);
        }
    }
}
