//! Commands as tests write them: a believable product in one line, everything else by default.

use serde_json::{Value, json};

/// A published product as a line of the bulk endpoint.
#[must_use]
pub fn product_line(external_id: &str, title: &str) -> Value {
    json!({
        "external_id": external_id,
        "title": title,
        "brand": "Acme",
        "description": format!("{title}, as the maker describes it"),
        "attributes": {"colour": "black", "weight_g": 420, "wireless": true},
        "variants": [{"sku": format!("SKU-{external_id}")}],
        "publish": true,
    })
}

/// A price of one SKU, in cents of US dollars.
#[must_use]
pub fn price_line(external_id: &str, cents: i64) -> Value {
    json!({"sku": format!("SKU-{external_id}"), "entries": [{"currency": "USD", "list_amount": cents}]})
}

/// A stock level of one SKU.
#[must_use]
pub fn stock_line(external_id: &str, on_hand: i64) -> Value {
    json!({"sku": format!("SKU-{external_id}"), "location": "main", "op": "set", "quantity": on_hand})
}

/// Lines as the body of a bulk write.
#[must_use]
pub fn ndjson(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}
