//! What a variant costs and how many pieces of it there are.

use super::{
    product::Offer,
    rules::{PriceRule, PriceUnit, StockRule},
    value::{self, Fields},
};
use schemas::{events::pricing::PriceEntry, money::Currency};
use serde_json::Value;

/// Price and stock of the variant in these fields; what has no rule or no value stays open.
pub(super) fn offer(price: Option<&PriceRule>, stock: Option<&StockRule>, fields: &Fields) -> Result<Offer, String> {
    let price = price.map(|rule| price_entry(rule, fields)).transpose()?.flatten();
    let Some(rule) = stock else { return Ok(Offer { price, ..Offer::default() }) };
    let on_hand = match rule.field.first(fields) {
        Some((name, value)) => Some((name, value::integer(name, value)?)),
        None => rule.constant.map(|pieces| ("constant", pieces)),
    };
    if let Some((name, pieces)) = on_hand.filter(|(_, pieces)| *pieces < 0) {
        return Err(format!("the field `{name}` says {pieces} pieces are on hand: 0 is the least"));
    }
    Ok(Offer { price, on_hand: on_hand.map(|(_, pieces)| pieces), location: rule.location.clone() })
}

fn price_entry(rule: &PriceRule, fields: &Fields) -> Result<Option<PriceEntry>, String> {
    let currency: Currency = match rule.currency_field.text(fields)? {
        Some(code) => code.parse().map_err(|error: schemas::money::InvalidCurrency| error.to_string())?,
        None => rule.currency.ok_or("there is no currency for the price")?,
    };
    let Some((name, value)) = rule.field.first(fields) else { return Ok(None) };
    let list_amount = amount(name, value, rule.unit, currency)?;
    let sale = rule.sale.first(fields);
    let sale = sale.map(|(name, value)| amount(name, value, rule.unit, currency)).transpose()?;
    // Sources often repeat the list price as the sale price when nothing is on sale.
    let sale_amount = sale.filter(|sale| *sale != list_amount);
    Ok(Some(PriceEntry { currency, list_amount, sale_amount, valid_from: None, valid_until: None }))
}

fn amount(name: &str, value: &Value, unit: PriceUnit, currency: Currency) -> Result<i64, String> {
    let amount = match unit {
        PriceUnit::Minor => value::integer(name, value)?,
        PriceUnit::Major => minor_units(&value::text(name, value)?, currency)
            .ok_or_else(|| format!("the field `{name}` holds {value}, not an amount of {currency} such as 12.50"))?,
    };
    if amount < 0 {
        return Err(format!("the field `{name}` holds {value}: a price can't be below zero"));
    }
    Ok(amount)
}

/// Decimal text to minor units, exactly; `None` if it is no decimal or has more digits than the
/// currency.
fn minor_units(text: &str, currency: Currency) -> Option<i64> {
    let exponent = currency.exponent() as usize;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    if digits.is_empty()
        || fraction.len() > exponent
        || !format!("{digits}{fraction}").bytes().all(|b| b.is_ascii_digit())
    {
        return None;
    }
    format!("{whole}{fraction:0<exponent$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_amounts_become_minor_units_without_a_float() {
        let usd = "USD".parse().expect("a code");
        for (text, minor) in [("12.5", Some(1250)), ("0.1", Some(10)), ("-3", Some(-300)), ("19.990", Some(1999))] {
            assert_eq!(minor_units(text, usd), minor, "{text}");
        }
        for bad in ["12.345", "1,50", "", ".5", "1e3", "12.-5", "$3"] {
            assert_eq!(minor_units(bad, usd), None, "{bad}");
        }
        assert_eq!(minor_units("1500", "JPY".parse().expect("a code")), Some(1500));
        assert_eq!(minor_units("1.5", "JPY".parse().expect("a code")), None);
    }
}
