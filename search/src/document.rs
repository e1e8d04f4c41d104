//! The search document: everything the search side knows of one product, composed once in the view
//! projection and read by every index and embedding writer.

use schemars::JsonSchema;
use schemas::{
    Timestamp,
    events::catalog::{AttributeValue, Image},
    ids::{ProductId, TenantId, VariantId},
    money::Currency,
    product_page::Availability,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use schemas::product_page::{DocumentCategory, PriceSpan, VariantPrice};

/// One product as search sees it; or the record that it is no longer there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchDocument {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The product; with the tenant, the document's key.
    pub product_id: ProductId,
    /// Grows with each change of the document; an older version never overwrites a newer one.
    pub doc_version: u64,
    /// What shoppers find; absent when the product is deleted, archived or not yet published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<SearchProduct>,
}

/// The content of a document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchProduct {
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
    /// The kind of thing, where the source says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_type: Option<String>,
    /// As written by the shop; may hold HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The categories it stands in, each with its path from the root.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<DocumentCategory>,
    /// The product's attributes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, AttributeValue>,
    /// What can be bought.
    pub variants: Vec<DocumentVariant>,
    /// The main picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// When it came to market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Timestamp>,
    /// Lowest and highest price per currency over the variants, at the time of composing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prices: BTreeMap<Currency, PriceSpan>,
    /// Whether any variant has a piece that can be sold.
    pub available: bool,
}

/// A variant as search sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentVariant {
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
    /// The price that counts per currency.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prices: BTreeMap<Currency, VariantPrice>,
    /// Pieces on hand over all places, those that are held for others included.
    pub on_hand: i64,
    /// What of them can be sold; if absent, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<Availability>,
}

impl DocumentVariant {
    /// What of it can be sold.
    #[must_use]
    pub fn availability(&self) -> Availability {
        self.availability.unwrap_or_else(|| Availability::of(self.on_hand))
    }
}
