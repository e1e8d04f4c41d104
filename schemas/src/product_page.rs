//! The product page: what the projector composes of a product, and what query-api passes on as it was stored.

use crate::{
    Timestamp,
    events::{
        catalog::{AttributeValue, Image, ProductContent, ProductOption, Schedule},
        pricing::PriceEntry,
    },
    ids::{CategoryId, ProductId, VariantId},
    money::Currency,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What the views keep of the catalog's part of a product, as JSON in `sources`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CatalogPart {
    /// Where it is in its life.
    pub status: ProductStatus,
    /// What it is.
    pub content: ProductContent,
    /// When it is published and archived by itself.
    #[serde(default, skip_serializing_if = "Schedule::is_empty")]
    pub schedule: Schedule,
}

/// Everything a storefront or an editor needs to know of a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProductPage {
    /// The product.
    pub id: ProductId,
    /// Where it is in its life.
    pub status: ProductStatus,
    /// The catalog's version: what `If-Match` has to name.
    pub version: u64,
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
    /// As written by the shop; may hold HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Typed attributes.
    pub attributes: BTreeMap<String, AttributeValue>,
    /// The choices between the variants.
    pub options: Vec<ProductOption>,
    /// All pictures.
    pub images: Vec<Image>,
    /// The categories with their paths.
    pub categories: Vec<DocumentCategory>,
    /// When it came to market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub released_at: Option<Timestamp>,
    /// The class of goods that says which taxes are due; `standard`, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_class: Option<String>,
    /// How long a piece is with its packaging, in millimetres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length_mm: Option<i64>,
    /// How wide it is, in millimetres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width_mm: Option<i64>,
    /// How high it is, in millimetres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height_mm: Option<i64>,
    /// Lowest and highest price per currency.
    pub prices: BTreeMap<Currency, PriceSpan>,
    /// Whether any variant has a piece that can be sold.
    pub available: bool,
    /// What can be bought.
    pub variants: Vec<PageVariant>,
    /// The versions of the parts it was composed from.
    pub versions: PageVersions,
}

/// A variant on the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PageVariant {
    /// Its id.
    pub id: VariantId,
    /// Its SKU.
    pub sku: String,
    /// EAN/GTIN codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub eans: Vec<String>,
    /// Option name to value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// Attributes that differ from the product's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, AttributeValue>,
    /// What a piece weighs with its packaging, in grams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_grams: Option<i64>,
    /// The price of one piece that counts now, per currency.
    pub prices: BTreeMap<Currency, VariantPrice>,
    /// The lower prices of more pieces that count now, per currency, the fewest pieces first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tiers: BTreeMap<Currency, Vec<PriceTier>>,
    /// The price sheet with what is scheduled, but for what is of a channel or a group of customers.
    pub price_sheet: Vec<PriceEntry>,
    /// Pieces on hand by location, those that are held for others included.
    pub stock: BTreeMap<String, i64>,
    /// Pieces on hand over all locations, those that are held for others included.
    pub on_hand: i64,
    /// What of them can be sold.
    #[serde(default)]
    pub availability: Availability,
}

/// What shoppers see of the pieces that can be sold: those on hand that are neither held for a checkout nor committed to an order.
/// It changes rarely, whatever is sold of something that there is plenty of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Availability {
    /// How many there are, in a word.
    pub level: AvailabilityLevel,
    /// Pieces that are left, where these are few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<i64>,
}

/// How many pieces can be sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AvailabilityLevel {
    /// None.
    #[default]
    None,
    /// At most five.
    Low,
    /// More.
    InStock,
}

impl Availability {
    /// The most pieces that are few.
    pub const FEW: i64 = 5;

    /// What shoppers see of so many pieces.
    #[must_use]
    pub const fn of(pieces: i64) -> Self {
        match pieces {
            ..=0 => Self { level: AvailabilityLevel::None, left: None },
            1..=Self::FEW => Self { level: AvailabilityLevel::Low, left: Some(pieces) },
            _ => Self { level: AvailabilityLevel::InStock, left: None },
        }
    }

    /// Whether any piece can be sold.
    #[must_use]
    pub const fn is_any(self) -> bool {
        match self.level {
            AvailabilityLevel::None => false,
            AvailabilityLevel::Low | AvailabilityLevel::InStock => true,
        }
    }
}

/// The versions of the parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PageVersions {
    /// The catalog's.
    pub catalog: u64,
    /// The price sheets' by variant.
    pub pricing: BTreeMap<VariantId, u64>,
    /// The stock items' by variant: of the last change that a shopper could see.
    pub inventory: BTreeMap<VariantId, u64>,
}

/// Where a product is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProductStatus {
    /// Written down, not yet shown.
    Draft,
    /// Shown to shoppers.
    Published,
    /// No longer shown.
    Archived,
}

impl ProductStatus {
    /// As in the `status` column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Archived => "archived",
        }
    }
}

/// A category with its way from the root, itself last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct DocumentCategory {
    /// Ids from the root.
    pub path_ids: Vec<CategoryId>,
    /// Slugs from the root.
    pub path_slugs: Vec<String>,
    /// Names from the root.
    pub path_names: Vec<String>,
}

/// What one variant costs in one currency, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct VariantPrice {
    /// What a shopper pays.
    pub amount: i64,
    /// The list price; above `amount` when on sale.
    pub list_amount: i64,
}

/// What a piece costs from so many pieces of the variant in a cart on, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct PriceTier {
    /// The least number of pieces.
    pub min_quantity: u32,
    /// What a shopper pays for each.
    pub amount: i64,
    /// The list price; above `amount` when on sale.
    pub list_amount: i64,
}

/// Lowest and highest amount over the variants, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct PriceSpan {
    /// The lowest amount a shopper pays.
    pub min: i64,
    /// The highest amount a shopper pays.
    pub max: i64,
    /// The list price of the cheapest variant.
    pub list: i64,
}
