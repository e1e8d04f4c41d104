//! What a variant costs and how many pieces of it there are.

use super::{
    product::Offer,
    rules::{PriceRule, PriceUnit, StockRule},
    value::{self, Fields},
};
use crate::import::repair::{
    Repair, Repairs,
    amount::{self, Amount},
};
use schemas::{Timestamp, events::pricing::PriceEntry, money::Currency};
use serde_json::Value;

/// Price and stock of the variant in these fields; what has no rule or no value stays open.
pub(super) fn offer(
    price: Option<&PriceRule>,
    stock: Option<&StockRule>,
    fields: &Fields,
    repairs: &mut Repairs,
) -> Result<Offer, String> {
    let prices = price.map(|rule| price_entries(rule, fields, repairs)).transpose()?.unwrap_or_default();
    let Some(rule) = stock else { return Ok(Offer { prices, ..Offer::default() }) };
    let on_hand = match rule.field.first(fields) {
        Some((name, value)) => Some(pieces(rule, name, value, repairs)?),
        None => rule.constant,
    };
    Ok(Offer { prices, on_hand, location: rule.location.clone() })
}

/// The price, and beside it the sale for as long as it lasts.
fn price_entries(rule: &PriceRule, fields: &Fields, repairs: &mut Repairs) -> Result<Vec<PriceEntry>, String> {
    let expected: Option<Currency> = match rule.currency_field.text(fields)? {
        Some(code) => Some(
            code.trim()
                .to_ascii_uppercase()
                .parse()
                .map_err(|error: schemas::money::InvalidCurrency| error.to_string())?,
        ),
        None => rule.currency,
    };
    let (list, sale) = (rule.field.first(fields), rule.sale.first(fields));
    // A shop that fills in the price it sells at and leaves the list price out.
    let Some((name, value)) = list.or(sale) else { return Ok(Vec::new()) };
    let list_amount = read(name, value, rule.unit, expected, repairs)?;
    let currency = list_amount.currency;
    let whole = PriceEntry::always(currency, list_amount.minor);
    let sale = sale.map(|(name, value)| read(name, value, rule.unit, Some(currency), repairs).map(|sale| (name, sale)));
    let Some((name, sale)) = sale.transpose()? else { return Ok(vec![whole]) };
    // Sources often repeat the list price as the sale price when nothing is on sale.
    if sale.minor == whole.list_amount || sale.currency != currency {
        return Ok(vec![whole]);
    }
    if sale.minor > whole.list_amount {
        repairs.note(Repair::Sale, name, &sale.minor.to_string(), "");
        return Ok(vec![whole]);
    }
    let (from, until) = span(rule, fields)?;
    let on_sale = PriceEntry { sale_amount: Some(sale.minor), ..whole.clone() };
    if from.is_none() && until.is_none() {
        return Ok(vec![on_sale]);
    }
    // Of two entries that are valid the one that began last counts.
    let valid_from = from.or(Some(Timestamp::UNIX_EPOCH));
    Ok(vec![whole, PriceEntry { valid_from, valid_until: until, ..on_sale }])
}

type Span = (Option<Timestamp>, Option<Timestamp>);

/// From when until when the sale lasts. A day at its end is a whole day.
fn span(rule: &PriceRule, fields: &Fields) -> Result<Span, String> {
    let (mut from, mut until) = (rule.sale_from.text(fields)?, rule.sale_until.text(fields)?);
    if let Some(period) = rule.sale_period.text(fields)? {
        let (begin, end) = period.split_once('/').ok_or_else(|| {
            format!(
                "the field `{}` holds `{period}`, not two times with a slash between them",
                rule.sale_period.0.join("` or `")
            )
        })?;
        (from, until) = (Some(begin.to_owned()), Some(end.to_owned()));
    }
    let moment =
        |text: Option<String>| text.filter(|t| !t.trim().is_empty()).map(|t| value::moment("sale", &t)).transpose();
    let is_day = until.as_deref().is_some_and(|text| text.trim().parse::<chrono::NaiveDate>().is_ok());
    let (from, until) = (moment(from)?, moment(until)?);
    let until = until.map(|until| if is_day { until + std::time::Duration::from_secs(86_400) } else { until });
    if from.zip(until).is_some_and(|(from, until)| from >= until) {
        return Err("the sale ends before it begins".to_owned());
    }
    Ok((from, until))
}

fn read(
    name: &str,
    value: &Value,
    unit: PriceUnit,
    expected: Option<Currency>,
    repairs: &mut Repairs,
) -> Result<Amount, String> {
    let text = value::text(name, value)?;
    let amount = match unit {
        PriceUnit::Minor => {
            let currency = expected.ok_or("there is no currency for the price")?;
            Amount { minor: value::integer(name, value)?, currency, is_plain: true }
        }
        PriceUnit::Major => {
            let plain = value.as_number().is_some();
            let amount = if plain { exact(&text, expected) } else { amount::read(&text, expected) };
            amount.ok_or_else(|| not_a_price(name, value, expected))?
        }
    };
    if amount.minor < 0 {
        return Err(format!("the field `{name}` holds {value}: a price can't be below zero"));
    }
    if !amount.is_plain {
        let money = schemas::money::Money { amount: amount.minor, currency: amount.currency };
        repairs.note(Repair::Amount, name, &text, &money.to_string());
    }
    Ok(amount)
}

fn not_a_price(name: &str, value: &Value, expected: Option<Currency>) -> String {
    match expected {
        Some(currency) => format!("the field `{name}` holds {value}, not an amount of {currency} such as 12.50"),
        None => format!("the field `{name}` holds {value}, not an amount with its currency such as 12.50 EUR"),
    }
}

/// A JSON number: its point is the decimal one, whatever follows.
fn exact(text: &str, expected: Option<Currency>) -> Option<Amount> {
    let currency = expected?;
    let exponent = currency.exponent() as usize;
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let minor = format!("{sign}{whole}{fraction:0<exponent$}").parse().ok().filter(|_| fraction.len() <= exponent)?;
    Some(Amount { minor, currency, is_plain: true })
}

/// A number of pieces, also where the source only says whether there are any.
fn pieces(rule: &StockRule, name: &str, value: &Value, repairs: &mut Repairs) -> Result<i64, String> {
    let text = value::text(name, value)?;
    let pieces = match value::integer(name, value) {
        Ok(pieces) if pieces >= 0 => return Ok(pieces),
        // Sold before it came in.
        Ok(_) => 0,
        Err(reason) => by_word(&text, rule.in_stock).ok_or(reason)?,
    };
    repairs.note(Repair::Stock, name, &text, &pieces.to_string());
    Ok(pieces)
}

/// Pieces by the words of feeds; `> 10` and `12 pcs` by their number.
fn by_word(text: &str, in_stock: i64) -> Option<i64> {
    let word = text.trim().to_lowercase().replace(['_', '-'], " ");
    match word.as_str() {
        "in stock" | "instock" | "available" | "true" | "yes" | "limited availability" => Some(in_stock),
        "out of stock" | "outofstock" | "sold out" | "unavailable" | "false" | "no" | "preorder" | "pre order"
        | "backorder" | "back order" | "onbackorder" | "on backorder" | "discontinued" => Some(0),
        _ => {
            let rest = word.trim_start_matches(['>', '<', '+', '=', '~', ' ']);
            let end = rest
                .find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, ',' | '\''))
                .unwrap_or(rest.len());
            let digits: String = rest[..end].chars().filter(char::is_ascii_digit).collect();
            let unit = rest[end..].trim().trim_matches(['+', '.']);
            let is_unit = matches!(
                unit,
                "" | "pcs" | "pc" | "pieces" | "units" | "unit" | "stk" | "stück" | "st" | "ea" | "x" | "0" | "00"
            );
            digits.parse().ok().filter(|_| is_unit)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn priced(toml: &str, fields: &Value) -> Result<Vec<PriceEntry>, String> {
        let rule: PriceRule = toml::from_str(toml).expect("a rule");
        price_entries(&rule, fields.as_object().expect("an object"), &mut Repairs::default())
    }

    #[test]
    fn numbers_become_minor_units_without_a_float() {
        let rule = "field = 'p'\ncurrency = 'USD'";
        for (number, minor) in [(json!(12.5), 1250), (json!(0.1), 10), (json!(19.99), 1999), (json!(1500), 150_000)] {
            assert_eq!(priced(rule, &json!({"p": number})).expect("priced")[0].list_amount, minor);
        }
        assert!(priced(rule, &json!({"p": 12.345})).is_err_and(|reason| reason.contains("not an amount of USD")));
        assert!(priced(rule, &json!({"p": "-3"})).is_err_and(|reason| reason.contains("below zero")));
    }

    #[test]
    fn a_sale_of_a_span_stands_beside_the_price() {
        let rule = "field = 'p'\nsale = 's'\nsale_period = 'when'\ncurrency = 'USD'";
        let when = "2026-01-01T00:00-0800/2030-12-31T23:59-0800";
        let entries = priced(rule, &json!({"p": "1,299.00 USD", "s": "999.00 USD", "when": when})).expect("priced");
        assert_eq!((entries[0].list_amount, entries[0].sale_amount), (129_900, None));
        assert_eq!((entries[1].list_amount, entries[1].sale_amount), (129_900, Some(99_900)));
        assert_eq!(entries[1].valid_until.expect("an end").to_rfc3339(), "2031-01-01T07:59:00+00:00");
        let dear = priced(rule, &json!({"p": "5", "s": "6"})).expect("priced");
        assert_eq!((dear.len(), dear[0].sale_amount), (1, None));
        assert!(priced(rule, &json!({"p": "5", "s": "4", "when": "soon"})).is_err());
    }

    #[test]
    fn stock_is_read_from_words_and_never_below_zero() {
        let rule: StockRule = toml::from_str("field = 'n'\nin_stock = 5").expect("a rule");
        let read = |value: Value| pieces(&rule, "n", &value, &mut Repairs::default()).ok();
        for (value, expected) in [
            (json!("12"), Some(12)),
            (json!(-2), Some(0)),
            (json!("in_stock"), Some(5)),
            (json!("Out of stock"), Some(0)),
            (json!("preorder"), Some(0)),
            (json!("> 10"), Some(10)),
            (json!("12 pcs"), Some(12)),
            (json!("1,200"), Some(1_200)),
            (json!("plenty"), None),
            (json!(1.5), None),
        ] {
            assert_eq!(read(value.clone()), expected, "{value}");
        }
    }
}
