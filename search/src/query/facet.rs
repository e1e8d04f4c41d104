//! What a facet is asked for, and what it answers.

use schemas::{events::catalog::AttributeValue, filter::Field};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most facets in one request.
pub const MAX_FACETS: usize = 20;
/// Most values of one facet.
pub const MAX_FACET_VALUES: u32 = 100;
/// A facet to count.
#[derive(Debug, Clone, PartialEq)]
pub struct Facet {
    /// What is counted.
    pub field: Field,
    /// Most values; of categories, most on each level.
    pub limit: u32,
    /// The order of the values.
    pub order: FacetOrder,
    /// Only values with this in them.
    pub search: Option<String>,
    /// Ranges to count a number by, each from its first bound up to but without its second; if none are given,
    /// even steps that fit.
    pub ranges: Vec<(Option<f64>, Option<f64>)>,
}

impl Facet {
    /// A facet with so many of its most frequent values.
    #[must_use]
    pub const fn new(field: Field, limit: u32) -> Self {
        Self { field, limit, order: FacetOrder::Count, search: None, ranges: Vec::new() }
    }
}

/// The order of a facet's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FacetOrder {
    /// Most frequent first.
    Count,
    /// By value.
    Value,
    /// These first, in this order; then the most frequent.
    Listed(Vec<String>),
}

/// The values of one facet with their counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(examples(json!(FacetCounts::example())))]
pub struct FacetCounts {
    /// The field, as asked.
    pub field: String,
    /// Values and counts.
    pub values: Vec<FacetValue>,
    /// Hits with a value beyond the limit.
    pub others: u64,
    /// Of numbers: least, greatest, mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stats: Option<Stats>,
    /// Of numbers: how many lie in each range.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<RangeCount>,
}

impl FacetCounts {
    /// As the OpenAPI document shows it: two brands, of which one is chosen.
    #[must_use]
    pub fn example() -> Self {
        let value = |name: &str, count, selected, total_if_toggled| FacetValue {
            value: name.into(),
            count,
            selected,
            total_if_toggled,
            children: Vec::new(),
        };
        let values = vec![value("Acme", 12, true, 31), value("Lumen", 7, false, 19)];
        Self { field: "brand".to_owned(), values, others: 12, stats: None, ranges: Vec::new() }
    }
}

/// One value of a facet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FacetValue {
    /// The value: text, number or true/false; of a category its slug.
    #[schema(value_type = AttributeValue)]
    pub value: Value,
    /// How many hits have it.
    pub count: u64,
    /// Whether it is chosen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub selected: bool,
    /// How many hits there would be if it were chosen, or no longer chosen.
    pub total_if_toggled: u64,
    /// Of a category, those below.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(no_recursion)]
    pub children: Vec<Self>,
}

/// What numbers amount to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = FacetStats)]
pub struct Stats {
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// The mean.
    pub avg: f64,
    /// How many hits have one.
    pub count: u64,
}

/// How many hits have a number in a range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = FacetRange)]
pub struct RangeCount {
    /// From this on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<f64>,
    /// Up to this, which itself doesn't belong to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<f64>,
    /// How many.
    pub count: u64,
}
