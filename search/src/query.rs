//! What can be asked of the index, and what it answers.

use crate::document::{PriceSpan, SearchProduct};
use schemas::{
    Timestamp,
    events::catalog::Image,
    ids::{ProductId, TenantId},
    money::Currency,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most characters of a query's text that are looked at.
pub const MAX_TEXT_CHARS: usize = 512;
/// Most terms of a query.
pub const MAX_TERMS: usize = 32;
/// Most hits on a page.
pub const MAX_LIMIT: usize = 200;
/// Deepest offset of a page.
pub const MAX_OFFSET: usize = 10_000;
/// Most facets in one request.
pub const MAX_FACETS: usize = 20;
/// Most values of one facet.
pub const MAX_FACET_VALUES: u32 = 100;

/// A search of one tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchRequest {
    /// Whose products.
    pub tenant: TenantId,
    /// What the shopper typed; everything matches an empty text.
    pub text: String,
    /// All must hold.
    pub filters: Vec<Filter>,
    /// The order of the hits.
    pub sort: Sort,
    /// Hits to leave out.
    pub offset: usize,
    /// Hits to give.
    pub limit: usize,
    /// Facets to count.
    pub facets: Vec<Facet>,
}

impl SearchRequest {
    /// A plain search for a text.
    #[must_use]
    pub fn text(tenant: TenantId, text: &str, limit: usize) -> Self {
        Self {
            tenant,
            text: text.to_owned(),
            filters: Vec::new(),
            sort: Sort::Relevance,
            offset: 0,
            limit,
            facets: Vec::new(),
        }
    }
}

/// A condition on a product.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// One of these brands, as written.
    Brand(Vec<String>),
    /// In the subtree of one of these categories, by id or slug.
    Category(Vec<String>),
    /// Lowest amount in this currency within the bounds, inclusive, in minor units.
    Price(Currency, Option<i64>, Option<i64>),
    /// Whether any variant has stock.
    Available(bool),
    /// One of these products, by id.
    Ids(Vec<ProductId>),
    /// An attribute with one of these values.
    Attribute(String, Vec<AttributeMatch>),
    /// A number attribute within the bounds, inclusive.
    AttributeRange(String, Option<f64>, Option<f64>),
}

/// A value an attribute may have: each way the text can be read.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeMatch {
    /// As text.
    Text(String),
    /// As a number.
    Number(f64),
    /// As true or false.
    Bool(bool),
}

/// The order of hits; equal ones follow in an order that is the same on every node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Best match first.
    Relevance,
    /// Cheapest first, products without a price in the currency last.
    PriceAscending(Currency),
    /// Dearest first, products without a price in the currency last.
    PriceDescending(Currency),
    /// By title, A to Z.
    Title,
    /// Newest first, products without a date last.
    Newest,
    /// Oldest first, products without a date last.
    Oldest,
}

/// A facet to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    /// `brand`, `category`, `available` or `attr.<name>`.
    pub field: String,
    /// Most values.
    pub limit: u32,
}

/// The values of one facet with their counts, most frequent first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FacetCounts {
    /// The field, as asked.
    pub field: String,
    /// Values and counts.
    pub values: Vec<FacetValue>,
    /// Hits with a value beyond the limit.
    pub others: u64,
}

/// One value of a facet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FacetValue {
    /// The value: text, number or true/false.
    pub value: serde_json::Value,
    /// How many hits have it.
    pub count: u64,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchResponse {
    /// How many products match.
    pub total: usize,
    /// The page of hits.
    pub hits: Vec<Hit>,
    /// In the order asked.
    pub facets: Vec<FacetCounts>,
    /// Words that no product of the shop holds, and what they were read as.
    pub corrections: Vec<Correction>,
}

/// A word of the query that was read as another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// As it was typed.
    pub written: String,
    /// As it was looked for.
    pub read: String,
}

/// One product found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// How well it matches; comparable within one answer only.
    pub score: f32,
    /// What a result list shows.
    #[serde(flatten)]
    pub card: HitCard,
}

/// What a result list shows of a product; stored in the index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HitCard {
    /// souk's id.
    pub id: ProductId,
    /// The id it was imported under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The name in addresses.
    pub slug: String,
    /// The name people read.
    pub title: String,
    /// The maker's part number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_number: Option<String>,
    /// The maker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The kind of thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_type: Option<String>,
    /// The main picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// Lowest and highest price per currency, in minor units.
    pub prices: BTreeMap<Currency, PriceSpan>,
    /// Whether any variant has stock.
    pub available: bool,
    /// How many variants there are.
    pub variants: usize,
    /// When it came to market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Timestamp>,
}

impl HitCard {
    /// The card of a product.
    #[must_use]
    pub fn of(id: ProductId, product: &SearchProduct) -> Self {
        Self {
            id,
            external_id: product.external_id.clone(),
            slug: product.slug.clone(),
            title: product.title.clone(),
            part_number: product.part_number.clone(),
            brand: product.brand.clone(),
            product_type: product.product_type.clone(),
            image: product.image.clone(),
            prices: product.prices.clone(),
            available: product.available,
            variants: product.variants.len(),
            released_at: product.released_at,
        }
    }
}
