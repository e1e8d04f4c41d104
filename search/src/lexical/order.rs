//! Sort keys that are read from fast fields. tantivy puts the greatest key first.

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
        let column = segment.fast_fields().date("released").ok();
        Box::new(move |doc| {
            let value = column.as_ref().and_then(|column| column.first(doc)).map(|date| date.into_timestamp_micros());
            key(value, descending)
        })
    }
}

fn key(value: Option<i64>, descending: bool) -> i64 {
    match value {
        Some(value) if descending => value.max(LAST + 1),
        Some(value) => value.saturating_neg().max(LAST + 1),
        None => LAST,
    }
}
