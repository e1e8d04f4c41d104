//! The product page: what the projector composes of a product, and what query-api passes on as it was stored.

use crate::{
    Timestamp,
    events::{
        catalog::{AttributeValue, Image, ProductOption},
        pricing::PriceEntry,
    },
    ids::{CategoryId, ProductId, VariantId},
    money::Currency,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

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
    /// Lowest and highest price per currency.
    pub prices: BTreeMap<Currency, PriceSpan>,
    /// Whether any variant has stock.
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
    /// The price that counts now, per currency.
    pub prices: BTreeMap<Currency, VariantPrice>,
    /// The whole price sheet, with what is scheduled.
    pub price_sheet: Vec<PriceEntry>,
    /// Pieces on hand by location.
    pub stock: BTreeMap<String, i64>,
    /// Pieces on hand over all locations.
    pub on_hand: i64,
}

/// The versions of the parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PageVersions {
    /// The catalog's.
    pub catalog: u64,
    /// The price sheets' by variant.
    pub pricing: BTreeMap<VariantId, u64>,
    /// The stock items' by variant.
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
