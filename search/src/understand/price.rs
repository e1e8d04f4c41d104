//! What a query says that something may cost.

use super::money::{self, Money};
use crate::analyzer;

/// What something may cost, in major units.
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    /// The least.
    pub from: Option<f64>,
    /// The greatest.
    pub to: Option<f64>,
    /// The money that was named, if any was.
    pub money: Option<Money>,
    /// The words that said so.
    pub said: String,
    /// The number with the word before it: where products are called so, it is their name.
    pub name: String,
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
/// What is counted and not paid, beside plurals and units.
const COUNTED: [&str; 34] = [
    "player", "players", "person", "persons", "people", "hour", "hours", "minute", "minutes", "day", "days", "week",
    "weeks", "month", "months", "year", "years", "piece", "pieces", "pcs", "pack", "packs", "count", "ct", "percent",
    "%", "degree", "degrees", "seater", "rpm", "psi", "fps", "lumen", "lumens",
];

/// A number, the money named with it, and how many words say it.
struct Amount {
    value: f64,
    money: Option<Money>,
    words: usize,
}

/// A price at the start of some words, and how many words say it. `first`: nothing stands before them, so that what
/// follows is what is looked for.
pub(super) fn price(words: &[&str], first: bool) -> Option<(Price, usize)> {
    let starts = |phrase: &&&[&str]| {
        phrase.len() < words.len() && phrase.iter().zip(words).all(|(wanted, word)| word.eq_ignore_ascii_case(wanted))
    };
    let most = AT_MOST.iter().find(starts);
    if let Some(phrase) = most.or_else(|| AT_LEAST.iter().find(starts)) {
        let amount = amount(&words[phrase.len()..])?;
        let length = phrase.len() + amount.words;
        let (from, to) = if most.is_some() { (None, Some(amount.value)) } else { (Some(amount.value), None) };
        return said(words, length, phrase.len() - 1, first, Price { from, to, ..Price::of(amount.money) });
    }
    if !words.first()?.eq_ignore_ascii_case("between") {
        return None;
    }
    let low = amount(&words[1..])?;
    let middle = words.get(1 + low.words)?;
    if !["and", "to", "-"].iter().any(|word| middle.eq_ignore_ascii_case(word)) {
        return None;
    }
    let high = amount(&words[2 + low.words..])?;
    let length = 2 + low.words + high.words;
    let (from, to) = (Some(low.value.min(high.value)), Some(low.value.max(high.value)));
    said(words, length, 1 + low.words, first, Price { from, to, ..Price::of(high.money.or(low.money)) })
}

impl Price {
    const fn of(money: Option<Money>) -> Self {
        Self { from: None, to: None, money, said: String::new(), name: String::new() }
    }
}

/// The price with what said it; none if no money was named and something is counted.
fn said(words: &[&str], length: usize, before: usize, first: bool, mut price: Price) -> Option<(Price, usize)> {
    if price.money.is_none() && words.get(length).is_some_and(|next| is_counted(next, first)) {
        return None;
    }
    price.said = words[..length].join(" ");
    price.name = words[before..length].join(" ");
    Some((price, length))
}

/// Whether a word behind a number says what is counted: a unit, or, unless it may be what is looked for, a plural.
fn is_counted(word: &str, first: bool) -> bool {
    let word = word.trim_end_matches(|sign: char| sign.is_ascii_punctuation() && sign != '%').to_lowercase();
    let letter = word.chars().count() == 1 && word.starts_with(char::is_alphabetic);
    letter || analyzer::is_unit(&word) || COUNTED.contains(&word.as_str()) || (!first && analyzer::is_plural(&word))
}

/// An amount of money at the start of some words.
fn amount(words: &[&str]) -> Option<Amount> {
    let written = words.first()?;
    // `€ 20` and `usd 20` are two words.
    if let Some(money) = money::read(written) {
        let (value, _) = number(words.get(1)?, Some(money))?;
        return Some(Amount { value, money: Some(money), words: 2 });
    }
    let (_, beside) = number(written, None)?;
    let behind = if beside.is_none() { words.get(1).and_then(|next| money::read(next)) } else { None };
    let (value, money) = number(written, behind)?;
    Some(Amount { value, money: money.or(behind), words: 1 + usize::from(behind.is_some()) })
}

/// A word that is a number with the sign of its money before or behind it, or none.
fn number(word: &str, known: Option<Money>) -> Option<(f64, Option<Money>)> {
    let word = word.trim_end_matches([',', '.', ';', '!', '?', '-']);
    let start = word.find(|sign: char| sign.is_ascii_digit())?;
    let end = word.rfind(|sign: char| sign.is_ascii_digit())? + 1;
    let sign = |text: &str| if text.is_empty() { Some(None) } else { money::read(text).map(Some) };
    let (before, behind) = (sign(&word[..start])?, sign(&word[end..])?);
    let money = before.or(behind);
    Some((money::parse(&word[start..end], money.or(known))?, money))
}

#[cfg(test)]
mod tests {
    use schemas::money::Currency;

    fn read(text: &str) -> Option<(Option<f64>, Option<f64>, Option<Currency>)> {
        let parts = super::super::parts(text, true);
        parts.price.map(|price| (price.from, price.to, price.money.map(|money| money.currency(Currency::USD))))
    }

    fn currency(code: &str) -> Option<Currency> {
        code.parse().ok()
    }

    #[test]
    fn the_money_that_is_named_is_meant() {
        for (text, most, code) in [
            ("cooker under 20 euros", 20.0, "EUR"),
            ("cooker under €20", 20.0, "EUR"),
            ("cooker under € 19,99", 19.99, "EUR"),
            ("cooker under 1.299,00 €", 1299.0, "EUR"),
            ("cooker under 1.299€", 1299.0, "EUR"),
            ("cooker max 20 EUR", 20.0, "EUR"),
            ("cooker under 20 pounds", 20.0, "GBP"),
            ("cooker below £1,299.50", 1299.5, "GBP"),
            ("cooker up to $20", 20.0, "USD"),
            ("cooker less than 5000 yen", 5000.0, "JPY"),
            ("cooker under chf 1'200", 1200.0, "CHF"),
            ("cooker under 200kr", 200.0, "SEK"),
            ("cooker under ₹500", 500.0, "INR"),
            ("cooker under 50 zł", 50.0, "PLN"),
            ("cooker under 10.500 kwd", 10.5, "KWD"),
        ] {
            assert_eq!(read(text), Some((None, Some(most), currency(code))), "{text}");
        }
        let between = Some((Some(10.0), Some(20.0), currency("EUR")));
        assert_eq!(read("cooker between €10 and 20"), between);
        assert_eq!(read("cooker between 10 and 20 euros"), between);
        assert_eq!(read("cooker under 20"), Some((None, Some(20.0), None)));
        assert_eq!(read("under 500 laptops"), Some((None, Some(500.0), None)));
    }

    #[test]
    fn what_is_counted_is_no_price() {
        for text in [
            "board game between 2 and 4 players",
            "headphones more than 20 hours",
            "tent up to 6 people",
            "puzzle over 1000 pieces",
            "lamp at least 800 lumens",
            "cable up to 10 m",
            "backpack over 30 litres",
            "up to 6 person tent",
            "disk over 500 gb",
            "phone max 256gb",
            "screen over 95 % srgb",
            "under desk mount",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
