//! Sort keys that are read from fast fields. tantivy puts the greatest key first.

use crate::{collation, schema::attribute_path};
use schemas::money::Currency;
use tantivy::{DocId, SegmentReader};

/// A segment's key: the greater, the earlier the hit; hits without a value come last.
type Key = Box<dyn Fn(DocId) -> i64 + Send + Sync>;

const LAST: i64 = i64::MIN;

/// By the lowest price in a currency.
pub fn price(currency: Currency, descending: bool) -> impl Fn(&SegmentReader) -> Key + Clone + Send + Sync + 'static {
    move |segment: &SegmentReader| {
        let column = segment.fast_fields().column_opt::<i64>(&format!("price.{currency}")).ok().flatten();
        Box::new(move |doc| key(column.as_ref().and_then(|column| column.first(doc)), descending))
    }
}

/// By the date a product came to market.
pub fn released(descending: bool) -> impl Fn(&SegmentReader) -> Key + Clone + Send + Sync + 'static {
    move |segment: &SegmentReader| {
        let column = segment.fast_fields().i64("released").ok();
        Box::new(move |doc| key(column.as_ref().and_then(|column| column.first(doc)), descending))
    }
}

fn key(value: Option<i64>, descending: bool) -> i64 {
    match value {
        Some(value) if descending => value.max(LAST + 1),
        Some(value) => value.saturating_neg().max(LAST + 1),
        None => LAST,
    }
}

/// By an attribute: its number, or else its text, that come first for a product with several.
pub fn attribute(name: &str, descending: bool) -> impl Fn(&SegmentReader) -> TextKey + Clone + Send + Sync + 'static {
    let column = format!("attr.{}", attribute_path(name));
    move |segment: &SegmentReader| {
        let numbers = segment.fast_fields().column_opt::<f64>(&column).ok().flatten();
        let texts = segment.fast_fields().str(&column).ok().flatten();
        Box::new(move |doc| {
            if let Some(number) = numbers.as_ref().and_then(|column| column.first(doc)) {
                return (2, total_order(number, descending), Vec::new());
            }
            let text = texts.as_ref().and_then(|column| {
                let mut text = String::new();
                column.ord_to_str(column.term_ords(doc).next()?, &mut text).ok()?;
                Some(collation::key(&text))
            });
            match text {
                // The end of a text comes before any letter when the greatest key is first.
                Some(key) if descending => (1, 0, key),
                Some(key) => (1, 0, reversed(&key)),
                None => (0, 0, Vec::new()),
            }
        })
    }
}

/// The least key first: its end comes before any byte.
fn reversed(key: &[u8]) -> Vec<u8> {
    key.iter().map(|byte| !byte).chain([u8::MAX]).collect()
}

/// A key of numbers before texts before nothing.
type TextKey = Box<dyn Fn(DocId) -> (u8, i64, Vec<u8>) + Send + Sync>;

/// A number as one that orders alike (the sign bit's trick of IEEE 754's total order).
fn total_order(number: f64, descending: bool) -> i64 {
    let bits = number.to_bits().cast_signed();
    let ordered = bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed();
    if descending { ordered } else { !ordered }
}
