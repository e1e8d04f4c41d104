//! Taxes of a quote.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What one tax takes of a whole quote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct TaxSum {
    /// Who gets it, such as `DE` or `US-CA`.
    pub jurisdiction: String,
    /// How the shopper reads it, such as `VAT 19 %`.
    pub title: String,
    /// Parts per million: 190,000 are 19 %.
    pub rate_ppm: u32,
    /// What it is on: lines and shipping after discounts, with tax where the quote's amounts include it.
    pub base: i64,
    /// What it takes.
    pub amount: i64,
}

/// What one tax takes of a line or of shipping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct LineTax {
    /// Who gets it, such as `DE` or `US-CA`.
    pub jurisdiction: String,
    /// How the shopper reads it, such as `VAT 19 %`.
    pub title: String,
    /// Parts per million: 190,000 are 19 %.
    pub rate_ppm: u32,
    /// What it takes.
    pub amount: i64,
}
