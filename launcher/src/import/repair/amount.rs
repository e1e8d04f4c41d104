//! Prices as people and shops write them: `15.00 USD`, `$1,250`, `3,50`, `1.299,00 €`, `1'299.–`.

use schemas::money::Currency;

/// A price that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Amount {
    /// Minor units.
    pub(crate) minor: i64,
    /// The currency that stands beside the number, or else the one that was expected.
    pub(crate) currency: Currency,
    /// Whether it was a plain decimal number.
    pub(crate) is_plain: bool,
}

/// Signs and words of currencies. Those that several share stand in [`shared`].
const SIGNS: [(&str, &str); 34] = [
    ("€", "EUR"),
    ("₹", "INR"),
    ("rs", "INR"),
    ("₩", "KRW"),
    ("₺", "TRY"),
    ("tl", "TRY"),
    ("₽", "RUB"),
    ("руб", "RUB"),
    ("₫", "VND"),
    ("฿", "THB"),
    ("₴", "UAH"),
    ("₪", "ILS"),
    ("₦", "NGN"),
    ("₱", "PHP"),
    ("₵", "GHS"),
    ("₡", "CRC"),
    ("zł", "PLN"),
    ("zl", "PLN"),
    ("kč", "CZK"),
    ("ft", "HUF"),
    ("lei", "RON"),
    ("fr", "CHF"),
    ("sfr", "CHF"),
    ("r$", "BRL"),
    ("us$", "USD"),
    ("c$", "CAD"),
    ("ca$", "CAD"),
    ("a$", "AUD"),
    ("au$", "AUD"),
    ("nz$", "NZD"),
    ("hk$", "HKD"),
    ("s$", "SGD"),
    ("mx$", "MXN"),
    ("ksh", "KES"),
];

/// A sign that several currencies share means the expected one if it is among them.
fn shared(sign: &str, expected: Option<Currency>) -> Option<&'static str> {
    let among = |codes: &[&'static str]| codes.iter().copied().find(|code| expected.is_some_and(|e| e.code() == *code));
    match sign {
        "$" => among(&["USD", "CAD", "AUD", "NZD", "HKD", "SGD", "MXN", "CLP", "COP", "ARS", "TWD"]).or(Some("USD")),
        "£" => among(&["GBP", "EGP", "LBP"]).or(Some("GBP")),
        "¥" | "￥" => among(&["JPY", "CNY"]).or(Some("JPY")),
        "kr" => among(&["SEK", "NOK", "DKK", "ISK"]),
        _ => None,
    }
}

/// Reads a price; none if the text is no price, or has more digits than its currency. A price below zero is one.
pub(crate) fn read(text: &str, expected: Option<Currency>) -> Option<Amount> {
    let text = text.trim();
    let is_digit = |letter: char| letter.is_ascii_digit();
    let (first, last) = (text.find(is_digit)?, text.rfind(is_digit)?);
    let (before, number, after) = (&text[..first], &text[first..=last], &text[last + 1..]);
    // `39,-` and `39.–`: no cents.
    let after = after.trim_start_matches(['.', ',']).trim_start_matches(['-', '–', '—']);
    let (before, signed) = match before.trim_end().strip_suffix(['.', ',']) {
        // `.5` is no price that anybody writes; `Rs. 500` is.
        Some(word) if word.trim_end().chars().next_back().is_some_and(char::is_alphabetic) => (word, false),
        Some(_) => return None,
        None => (before, before.contains(['-', '−', '('])),
    };
    let word = |text: &str| text.trim_matches(|c: char| c.is_whitespace() || "-−().:".contains(c)).to_owned();
    let words: Vec<String> = [word(before), word(after)].into_iter().filter(|word| !word.is_empty()).collect();
    let named = words.iter().map(|word| currency(word, expected)).collect::<Option<Vec<_>>>()?;
    // `$15.00 CAD`: the code says more than the sign.
    let code = words.iter().zip(&named).find(|(word, _)| word.len() == 3 && word.is_ascii()).map(|(_, named)| *named);
    let currency = code.or(named.first().copied()).or(expected)?;
    let minor = minor_units(number, currency)?;
    let is_plain = words.is_empty() && !signed && after.is_empty() && is_decimal(number, currency);
    Some(Amount { minor: if signed { -minor } else { minor }, currency, is_plain })
}

fn currency(word: &str, expected: Option<Currency>) -> Option<Currency> {
    let lower = word.to_lowercase();
    let code = SIGNS.iter().find(|(sign, _)| *sign == lower).map(|(_, code)| *code);
    if let Some(code) = code.or_else(|| shared(&lower, expected)) {
        return code.parse().ok();
    }
    word.to_ascii_uppercase().parse().ok()
}

fn is_decimal(number: &str, currency: Currency) -> bool {
    number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && number.matches('.').count() <= 1
        && number.find('.').is_none_or(|point| fits(number, point, currency.exponent() as usize))
}

/// Digits with separators to minor units, exactly.
///
/// A comma or a point is the decimal one if it comes once and last, unless three digits follow that can only be
/// thousands: all currencies of two digits and less have prices of no more than two.
pub(crate) fn minor_units(number: &str, currency: Currency) -> Option<i64> {
    let exponent = currency.exponent() as usize;
    let is_space = |letter: char| matches!(letter, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '’');
    if !number.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, '.' | ',') || is_space(letter)) {
        return None;
    }
    let (points, commas) = (number.matches('.').count(), number.matches(',').count());
    let decimal = match (number.rfind('.'), number.rfind(',')) {
        (Some(point), Some(comma)) if point > comma && points == 1 => Some(point),
        (Some(point), Some(comma)) if comma > point && commas == 1 => Some(comma),
        (Some(_), Some(_)) => return None,
        (Some(point), None) if points == 1 && fits(number, point, exponent) => Some(point),
        (None, Some(comma)) if commas == 1 && !(exponent < 3 && is_thousands(number)) => Some(comma),
        _ => None,
    };
    let (whole, fraction) = decimal.map_or((number, ""), |at| (&number[..at], &number[at + 1..]));
    let groups: Vec<&str> = whole.split(|letter: char| matches!(letter, '.' | ',') || is_space(letter)).collect();
    let digits = grouped(&groups)?;
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > exponent || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{digits}{fraction:0<exponent$}").parse().ok()
}

/// Whether what follows the point are cents rather than thousands.
fn fits(number: &str, point: usize, exponent: usize) -> bool {
    number[point + 1..].trim_end_matches('0').len() <= exponent || !is_thousands(number)
}

/// One to three digits that are no zero, a separator, three digits.
fn is_thousands(number: &str) -> bool {
    let mut parts = number.split(['.', ',']);
    let (Some(whole), Some(group), None) = (parts.next(), parts.next(), parts.next()) else { return false };
    (1..=3).contains(&whole.len()) && !whole.starts_with('0') && group.len() == 3
}

/// The digits of groups of thousands: `1 299 000`, and `12,50,000` as in India.
fn grouped(groups: &[&str]) -> Option<String> {
    let (last, others) = groups.split_last()?;
    let all_digits = groups.iter().all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    let right = others.is_empty()
        || (last.len() == 3
            && others[0].len() <= 3
            && others[1..].iter().all(|group| group.len() == others.get(1).map_or(3, |first| first.len()))
            && others[1..].iter().all(|group| matches!(group.len(), 2 | 3)));
    (all_digits && right).then(|| groups.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use schemas::money::Money;

    fn code(code: &str) -> Currency {
        code.parse().expect("a code")
    }

    fn read_as(text: &str, expected: &str) -> Option<String> {
        let amount = read(text, Some(code(expected)))?;
        Some(Money { amount: amount.minor, currency: amount.currency }.to_string())
    }

    #[test]
    fn prices_are_read_as_people_write_them() {
        for (text, expected, money) in [
            ("15.00 USD", "EUR", "15.00 USD"),
            ("3,50", "EUR", "3.50 EUR"),
            ("1.299,00 €", "USD", "1299.00 EUR"),
            ("$1,250", "USD", "1250.00 USD"),
            ("$1,250.5", "CAD", "1250.50 CAD"),
            ("C$ 20", "USD", "20.00 CAD"),
            ("1,299.00 USD", "USD", "1299.00 USD"),
            ("1'299.–", "CHF", "1299.00 CHF"),
            ("39,-", "EUR", "39.00 EUR"),
            ("1 299,90", "EUR", "1299.90 EUR"),
            ("1\u{202f}299,90\u{a0}€", "EUR", "1299.90 EUR"),
            ("1.299", "EUR", "1299.00 EUR"),
            ("1.299.000", "EUR", "1299000.00 EUR"),
            ("12,50,000", "INR", "1250000.00 INR"),
            ("Rs. 500", "USD", "500.00 INR"),
            ("¥1,290", "JPY", "1290 JPY"),
            ("1.290", "JPY", "1290 JPY"),
            ("1,250", "KWD", "1.250 KWD"),
            ("19.990", "USD", "19.99 USD"),
            ("15.0000", "USD", "15.00 USD"),
            ("eur 9,5", "USD", "9.50 EUR"),
            ("99 kr", "SEK", "99.00 SEK"),
            ("12.5", "USD", "12.50 USD"),
            ("-3", "USD", "-3.00 USD"),
            ("(3.00)", "USD", "-3.00 USD"),
        ] {
            assert_eq!(read_as(text, expected).as_deref(), Some(money), "{text}");
        }
    }

    #[test]
    fn what_is_no_price_is_none() {
        for text in [
            "",
            "free",
            "12.345,678",
            "0.125",
            "1e3",
            ".5",
            "12.-5",
            "15.00 - 20.00",
            "99 pesos",
            "1,2,3",
            "1.5.2",
            "ab12",
        ] {
            assert_eq!(read_as(text, "USD"), None, "{text}");
        }
        assert_eq!(read_as("1.5", "JPY"), None);
        assert_eq!(read_as("99 kr", "USD"), None);
    }

    proptest! {
        #[test]
        fn any_amount_is_read_back_from_every_way_of_writing_it(minor in 0_i64..100_000_000_000, which in 0_usize..6) {
            let (whole, cents) = (minor / 100, minor % 100);
            let digits = whole.to_string();
            let groups: Vec<String> = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned()).collect();
            let text = match which {
                0 => format!("{whole}.{cents:02}"),
                1 => format!("{},{cents:02} €", groups.join(".")),
                2 => format!("€{}.{cents:02}", groups.join(",")),
                3 => format!("EUR {},{cents:02}", groups.join(" ")),
                4 => format!("{}.{cents:02} EUR", groups.join("'")),
                _ => format!("{whole},{cents:02}"),
            };
            let amount = read(&text, Some(code("EUR")));
            prop_assert_eq!(amount.map(|amount| (amount.minor, amount.currency.code().to_owned())), Some((minor, "EUR".to_owned())), "{}", text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9., '$€a-z()-]{0,20}") {
            let _ = read(&text, Some(code("USD")));
        }
    }
}
