//! A product of the demo catalog, as it stands in its file.

use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DemoProduct {
    /// `P` and a number.
    pub id: String,
    /// Unique.
    pub slug: String,
    /// Unique.
    pub title: String,
    /// Unique.
    pub part_number: String,
    /// Made up.
    pub brand: String,
    /// The kind of thing.
    pub product_type: String,
    /// A few sentences.
    pub description: String,
    /// The way through the tree, with ` > ` between.
    pub categories: Vec<String>,
    /// By name; a unit is part of it.
    pub attributes: BTreeMap<String, Value>,
    /// What can be bought.
    pub variants: Vec<DemoVariant>,
    /// A date.
    pub released_at: String,
}

/// One thing that can be bought.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DemoVariant {
    /// Unique.
    pub sku: String,
    /// EAN-13 out of the range for use inside a shop, so that it is nobody's.
    pub ean: String,
    /// Option name to value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// Cents.
    pub list_price: i64,
    /// Cents, below the list price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sale_price: Option<i64>,
    /// Pieces on hand.
    pub stock: i64,
}
