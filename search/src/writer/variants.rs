//! What a product's variants are, in a column of the index: small enough to be read for every candidate of a
//! condition on one variant.

use crate::{
    IndexError,
    document::SearchProduct,
    schema::{attribute_path, attribute_value},
};
use schemas::{events::catalog::AttributeValue, ids::VariantId, money::Currency};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One variant, as conditions see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IndexedVariant {
    /// Its id.
    #[serde(rename = "i")]
    pub id: VariantId,
    /// Its SKU.
    #[serde(rename = "s")]
    pub sku: String,
    /// Options, its own attributes, and the product's where it has none of that name; by the name's path.
    #[serde(rename = "a", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, AttributeValue>,
    /// What it costs, in minor units.
    #[serde(rename = "p", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prices: BTreeMap<Currency, i64>,
    /// Whether it has stock.
    #[serde(rename = "v")]
    pub available: bool,
}

/// The column's bytes. A product with one variant has none of its own attributes repeated: conditions on
/// its variant are conditions on the product, but for the price, stock and SKU that stand here.
pub(super) fn encode(product: &SearchProduct) -> Result<Vec<u8>, IndexError> {
    let variants: Vec<IndexedVariant> = product
        .variants
        .iter()
        .map(|variant| {
            let options = variant
                .options
                .iter()
                .map(|(name, value)| (name, AttributeValue::Text(attribute_value(value).into_owned())));
            let own = variant.attributes.iter().map(|(name, value)| (name, indexed(value)));
            IndexedVariant {
                id: variant.id,
                sku: variant.sku.clone(),
                attributes: options.chain(own).map(|(name, value)| (attribute_path(name), value)).collect(),
                prices: variant.prices.iter().map(|(currency, price)| (*currency, price.amount)).collect(),
                available: variant.availability().is_any(),
            }
        })
        .collect();
    Ok(serde_json::to_vec(&variants).map_err(std::io::Error::from)?)
}

/// A value as conditions see it.
fn indexed(value: &AttributeValue) -> AttributeValue {
    let text = |value: &String| attribute_value(value).into_owned();
    match value {
        AttributeValue::Bool(_) | AttributeValue::Number(_) => value.clone(),
        AttributeValue::Text(value) => AttributeValue::Text(text(value)),
        AttributeValue::Texts(values) => AttributeValue::Texts(values.iter().map(text).collect()),
    }
}

/// The variants of a column's bytes; none if they can't be read.
#[must_use]
pub fn decode(bytes: &[u8]) -> Vec<IndexedVariant> {
    serde_json::from_slice(bytes).unwrap_or_default()
}
