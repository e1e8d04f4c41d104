//! The filter language: `field:value`, several values with commas, ranges with `..`, values with
//! commas or dots inside in double quotes.

use super::super::Refusal;
use ::search::query::{AttributeMatch, Filter};
use schemas::money::Currency;

const MAX_VALUES: usize = 100;

/// Reads one filter.
///
/// # Errors
/// [`Refusal`] with the position of the offending character.
pub fn parse(text: &str, currency: Currency) -> Result<Filter, Refusal> {
    let refused = |position: usize, detail: &str| Refusal::at("filter", position, format!("in `{text}`: {detail}"));
    let Some(colon) = text.find(':') else {
        return Err(refused(text.chars().count(), "a colon is expected after the field, as in brand:Canon"));
    };
    let (field, rest) = (&text[..colon], &text[colon + 1..]);
    let start = text[..=colon].chars().count();
    let values = || values(rest).map_err(|(position, detail)| refused(start + position, detail));
    match field {
        "brand" => Ok(Filter::Brand(values()?)),
        "category" => Ok(Filter::Category(values()?)),
        "available" => match rest {
            "true" => Ok(Filter::Available(true)),
            "false" => Ok(Filter::Available(false)),
            _ => Err(refused(start, "true or false is expected")),
        },
        "price" => {
            let (from, to) = range::<i64>(rest).ok_or_else(|| {
                refused(start, "a range of whole minor units is expected, as in price:1000..20000, ..5000 or 1000..")
            })?;
            Ok(Filter::Price(currency, from, to))
        }
        _ => match field.strip_prefix("attr.").filter(|name| !name.is_empty()) {
            Some(name) => match range::<f64>(rest) {
                Some((from, to)) => Ok(Filter::AttributeRange(name.to_owned(), from, to)),
                None => Ok(Filter::Attribute(name.to_owned(), values()?.into_iter().flat_map(readings).collect())),
            },
            None => {
                Err(refused(0, "there is no such field; there are brand, category, available, price and attr.<name>"))
            }
        },
    }
}

/// Each way a value can be meant: an attribute of that name may be text, a number or a yes/no.
fn readings(value: String) -> Vec<AttributeMatch> {
    let mut readings = Vec::new();
    if let Ok(number) = value.parse::<f64>() {
        readings.push(AttributeMatch::Number(number));
    }
    if let Ok(flag) = value.parse::<bool>() {
        readings.push(AttributeMatch::Bool(flag));
    }
    readings.push(AttributeMatch::Text(value));
    readings
}

/// `a..b`, `a..` or `..b`.
fn range<T: std::str::FromStr>(text: &str) -> Option<(Option<T>, Option<T>)> {
    let (from, to) = text.split_once("..")?;
    let bound = |text: &str| if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) };
    let bounds = (bound(from)?, bound(to)?);
    if from.is_empty() && to.is_empty() { None } else { Some(bounds) }
}

/// Values separated by commas; inside double quotes a comma is a comma, and a doubled quote a quote.
fn values(text: &str) -> Result<Vec<String>, (usize, &'static str)> {
    let (mut values, mut current, mut quoted, mut was_quoted) = (Vec::new(), String::new(), false, false);
    let mut characters = text.chars().enumerate().peekable();
    while let Some((position, character)) = characters.next() {
        match character {
            '"' if quoted && characters.peek().is_some_and(|(_, next)| *next == '"') => {
                current.push('"');
                characters.next();
            }
            '"' if quoted => quoted = false,
            '"' if current.is_empty() && !was_quoted => (quoted, was_quoted) = (true, true),
            ',' if !quoted => {
                finish(&mut values, &mut current, was_quoted, position)?;
                was_quoted = false;
            }
            _ if was_quoted && !quoted => return Err((position, "a comma is expected after the closing quote")),
            _ => current.push(character),
        }
    }
    let end = text.chars().count();
    if quoted {
        return Err((end, "the closing quote is missing"));
    }
    finish(&mut values, &mut current, was_quoted, end)?;
    if values.len() > MAX_VALUES {
        return Err((end, "at most 100 values can be listed"));
    }
    Ok(values)
}

fn finish(
    values: &mut Vec<String>,
    current: &mut String,
    was_quoted: bool,
    position: usize,
) -> Result<(), (usize, &'static str)> {
    if current.is_empty() && !was_quoted {
        return Err((position, "a value is expected"));
    }
    values.push(std::mem::take(current));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd() -> Currency {
        "USD".parse().expect("a code")
    }

    fn position(text: &str) -> Option<u32> {
        parse(text, usd()).expect_err(text).0.errors[0].position
    }

    #[test]
    fn filters_are_read() {
        assert_eq!(
            parse("brand:Canon,\"A, B \"\"C\"\"\"", usd()).ok(),
            Some(Filter::Brand(vec!["Canon".into(), "A, B \"C\"".into()]))
        );
        assert_eq!(parse("price:100..", usd()).ok(), Some(Filter::Price(usd(), Some(100), None)));
        assert_eq!(
            parse("attr.weight:1.5..2", usd()).ok(),
            Some(Filter::AttributeRange("weight".into(), Some(1.5), Some(2.0)))
        );
        let three = vec![AttributeMatch::Number(3.0), AttributeMatch::Text("3".into())];
        assert_eq!(parse("attr.cores:3", usd()).ok(), Some(Filter::Attribute("cores".into(), three)));
    }

    #[test]
    fn errors_point_at_the_character() {
        assert_eq!(position("brand"), Some(5));
        assert_eq!(position("brand:"), Some(6));
        assert_eq!(position("brand:a,,b"), Some(8));
        assert_eq!(position("brand:\"a"), Some(8));
        assert_eq!(position("brand:\"a\"b"), Some(9));
        assert_eq!(position("colour:red"), Some(0));
        assert_eq!(position("price:cheap"), Some(6));
    }
}
