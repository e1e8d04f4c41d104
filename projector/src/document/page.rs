//! The product page: everything a storefront or an editor needs to know of a product, in one row.

use super::{CatalogPart, Parts, Status};
use schemas::{
    Timestamp,
    events::{
        catalog::{AttributeValue, Image, ProductOption},
        pricing::PriceEntry,
    },
    ids::{ProductId, VariantId},
    money::Currency,
};
use search::document::{DocumentCategory, PriceSpan, SearchProduct, VariantPrice};
use serde::Serialize;
use std::collections::BTreeMap;

/// The page as JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProductPage {
    /// The product.
    pub id: ProductId,
    /// Where it is in its life.
    pub status: Status,
    /// The catalog's version: what `If-Match` has to name.
    pub version: u64,
    /// The id it was imported under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The name in addresses.
    pub slug: String,
    /// The name people read.
    pub title: String,
    /// The maker's part number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_number: Option<String>,
    /// The maker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The kind of thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_type: Option<String>,
    /// As written by the shop; may hold HTML.
    #[serde(skip_serializing_if = "Option::is_none")]
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
    #[serde(skip_serializing_if = "Option::is_none")]
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
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PageVariant {
    /// Its id.
    pub id: VariantId,
    /// Its SKU.
    pub sku: String,
    /// EAN/GTIN codes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub eans: Vec<String>,
    /// Option name to value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// Attributes that differ from the product's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PageVersions {
    /// The catalog's.
    pub catalog: u64,
    /// The price sheets' by variant.
    pub pricing: BTreeMap<VariantId, u64>,
    /// The stock items' by variant.
    pub inventory: BTreeMap<VariantId, u64>,
}

/// The page of a product; prices and stock come from the search document beside it.
pub(super) fn compose(
    id: ProductId,
    version: u64,
    catalog: &CatalogPart,
    parts: &Parts,
    search: &SearchProduct,
) -> ProductPage {
    let content = catalog.content.clone();
    let variants = search
        .variants
        .iter()
        .map(|variant| PageVariant {
            id: variant.id,
            sku: variant.sku.clone(),
            eans: variant.eans.clone(),
            options: variant.options.clone(),
            attributes: variant.attributes.clone(),
            prices: variant.prices.clone(),
            price_sheet: parts.prices.get(&variant.id).map(|(_, entries)| entries.clone()).unwrap_or_default(),
            stock: parts.stock.get(&variant.id).map(|(_, levels)| levels.clone()).unwrap_or_default(),
            on_hand: variant.on_hand,
        })
        .collect();
    ProductPage {
        id,
        status: catalog.status,
        version,
        external_id: content.external_id,
        slug: content.slug,
        title: content.title,
        part_number: content.part_number,
        brand: content.brand,
        product_type: content.product_type,
        description: content.description,
        attributes: content.attributes,
        options: content.options,
        images: content.images,
        categories: search.categories.clone(),
        released_at: content.released_at,
        prices: search.prices.clone(),
        available: search.available,
        variants,
        versions: PageVersions {
            catalog: version,
            pricing: parts.prices.iter().map(|(id, (version, _))| (*id, *version)).collect(),
            inventory: parts.stock.iter().map(|(id, (version, _))| (*id, *version)).collect(),
        },
    }
}
