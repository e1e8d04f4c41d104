//! A record becomes a product, with what its variants cost and how many there are.

use super::{
    attributes, offer,
    rules::{Mapping, Publish, VariantRule},
    value::{self, Fields},
};
use crate::import::categories::CategoryPath;
use schemas::{
    Timestamp,
    events::{
        catalog::{AttributeValue, Image, ProductOption},
        pricing::PriceEntry,
    },
};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A record as souk will have it.
#[derive(Debug, Clone)]
pub struct Mapped {
    /// The product.
    pub product: ProductLine,
    /// The categories it stands in; the first is the main one.
    pub categories: Vec<CategoryPath>,
    /// Price and stock, one for each of the product's variants.
    pub offers: Vec<Offer>,
}

/// A line of `POST /v1/products/bulk`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProductLine {
    /// The id in the source.
    pub external_id: String,
    /// The name in addresses; the write API makes one if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// The name people read.
    pub title: String,
    /// The maker's part number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_number: Option<String>,
    /// May hold HTML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The maker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The kind of thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_type: Option<String>,
    /// External ids of its categories.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// By name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, AttributeValue>,
    /// What makes the variants differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<ProductOption>,
    /// At least one.
    pub variants: Vec<VariantLine>,
    /// The first is the main one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
    /// When it came to market.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Timestamp>,
    /// Whether shoppers shall see it at once.
    pub publish: bool,
}

/// A variant within a [`ProductLine`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariantLine {
    /// Unique in the tenant.
    pub sku: String,
    /// EAN/GTIN codes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub eans: Vec<String>,
    /// Option name to value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// What differs from the product's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, AttributeValue>,
}

/// What one variant costs and how many there are; what is open is left as it is in souk.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Offer {
    /// The price sheet's one entry.
    pub price: Option<PriceEntry>,
    /// Pieces on hand.
    pub on_hand: Option<i64>,
    /// Where they are.
    pub location: String,
}

impl Mapping {
    /// Makes a product out of a record's fields.
    ///
    /// # Errors
    /// A sentence about the field that is missing or wrong.
    pub fn apply(&self, fields: &Fields) -> Result<Mapped, String> {
        let needed = |found: Option<String>, target: &str, names: &[String]| {
            found.ok_or_else(|| {
                format!("there is no {target}: the field `{}` is missing or empty", names.join("` or `"))
            })
        };
        let id = needed(self.id.text(fields)?, "id", &self.id.0)?;
        let title = needed(self.title.text(fields)?, "title", &self.title.0)?;
        let released_at = match self.released_at.first(fields) {
            Some((name, value)) => Some(value::moment(name, &value::text(name, value)?)?),
            None => None,
        };
        let (variants, offers) = self.variants_of(&id, fields)?;
        let images = self.images.texts(fields)?.into_iter().map(|url| Image { url, alt: None }).collect();
        let product = ProductLine {
            slug: self.slug.text(fields)?,
            part_number: self.part_number.text(fields)?,
            description: self.description.text(fields)?,
            brand: self.brand.text(fields)?,
            product_type: self.product_type.text(fields)?,
            categories: Vec::new(),
            attributes: attributes::collect(&self.attributes, fields, &self.used_fields())?,
            options: options_of(&variants)?,
            publish: self.is_published(fields)?,
            external_id: id,
            title,
            variants,
            images,
            released_at,
        };
        Ok(Mapped { product, categories: self.categories_of(fields)?, offers })
    }

    fn is_published(&self, fields: &Fields) -> Result<bool, String> {
        match &self.publish {
            Publish::Always(publish) => Ok(*publish),
            Publish::Field(source) => source.first(fields).map_or(Ok(false), |(name, value)| value::flag(name, value)),
        }
    }

    fn categories_of(&self, fields: &Fields) -> Result<Vec<CategoryPath>, String> {
        let Some(rule) = &self.categories else { return Ok(Vec::new()) };
        let mut paths = Vec::new();
        for text in rule.field.texts(fields)? {
            let listed = match rule.list_separator.as_deref() {
                Some(separator) => text.split(separator).map(str::to_owned).collect(),
                None => vec![text],
            };
            for text in listed {
                let names: Vec<_> = text.split(&rule.separator).map(|name| name.trim().to_owned()).collect();
                let names: Vec<_> = names.into_iter().filter(|name| !name.is_empty()).collect();
                if !names.is_empty() {
                    paths.push(CategoryPath::new(names, rule.slug));
                }
            }
        }
        Ok(paths)
    }

    /// The variants listed, or the record itself as its only one.
    fn variants_of(&self, id: &str, fields: &Fields) -> Result<(Vec<VariantLine>, Vec<Offer>), String> {
        let listed = self.variants.as_ref().and_then(|rule| Some((rule, rule.field.first(fields)?)));
        if let Some((rule, (name, value))) = listed {
            let list = value.as_array().ok_or_else(|| format!("the field `{name}` should hold a list of variants"))?;
            return list.iter().enumerate().map(|(index, value)| variant(rule, name, index, value)).collect();
        }
        let variant = VariantLine {
            sku: self.sku.text(fields)?.unwrap_or_else(|| id.to_owned()),
            eans: self.ean.texts(fields)?,
            options: BTreeMap::new(),
            attributes: BTreeMap::new(),
        };
        Ok((vec![variant], vec![offer::offer(self.price.as_ref(), self.stock.as_ref(), fields)?]))
    }
}

fn variant(rule: &VariantRule, list: &str, index: usize, value: &Value) -> Result<(VariantLine, Offer), String> {
    let at = |reason: String| format!("variant {} of `{list}`: {reason}", index + 1);
    let fields = value.as_object().ok_or_else(|| at("it is not an object of fields".to_owned()))?;
    let missing = || at(format!("there is no SKU: the field `{}` is missing or empty", rule.sku.0.join("` or `")));
    let mut options = BTreeMap::new();
    for name in &rule.options.0 {
        match value::find(fields, name) {
            Some(Value::Object(members)) => {
                for (option, value) in members {
                    options.insert(option.clone(), value::text(option, value).map_err(at)?);
                }
            }
            Some(value) => {
                options.insert(name.clone(), value::text(name, value).map_err(at)?);
            }
            None => {}
        }
    }
    let line = VariantLine {
        sku: rule.sku.text(fields).map_err(at)?.ok_or_else(missing)?,
        eans: rule.ean.texts(fields).map_err(at)?,
        options,
        attributes: attributes::collect(&rule.attributes, fields, &BTreeSet::new()).map_err(at)?,
    };
    Ok((line, offer::offer(rule.price.as_ref(), rule.stock.as_ref(), fields).map_err(at)?))
}

/// The options are what the variants say, values in the order they come up.
fn options_of(variants: &[VariantLine]) -> Result<Vec<ProductOption>, String> {
    let mut options: Vec<ProductOption> = Vec::new();
    for (name, value) in variants.iter().flat_map(|variant| &variant.options) {
        let at = options.iter().position(|option| option.name == *name).unwrap_or_else(|| {
            options.push(ProductOption { name: name.clone(), values: Vec::new() });
            options.len() - 1
        });
        if !options[at].values.contains(value) {
            options[at].values.push(value.clone());
        }
    }
    for (variant, option) in variants.iter().flat_map(|variant| options.iter().map(move |option| (variant, option))) {
        if !variant.options.contains_key(&option.name) {
            return Err(format!("the variant `{}` has no `{}`, though others have", variant.sku, option.name));
        }
    }
    Ok(options)
}
