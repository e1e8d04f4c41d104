//! A record becomes a product, with what its variants cost and how many there are.

use super::{
    attributes,
    measure::{self, Measure},
    offer,
    rules::{Mapping, MeasureRule, Publish, VariantRule},
    tidy,
    value::{self, Fields},
};
use crate::import::{
    categories::{CategoryPath, slugify},
    repair::{Repairs, text},
};
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
    /// What had to be put right.
    pub repairs: Repairs,
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
    /// The class of goods that says which taxes are due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_class: Option<String>,
    /// What a piece weighs, in grams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_grams: Option<i64>,
    /// How long it is, in millimetres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length_mm: Option<i64>,
    /// How wide it is, in millimetres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width_mm: Option<i64>,
    /// How high it is, in millimetres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height_mm: Option<i64>,
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
    /// What a piece weighs, in grams, where it differs from the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_grams: Option<i64>,
}

/// What one variant costs and how many there are; what is open is left as it is in souk.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Offer {
    /// The entries of its price sheet.
    pub prices: Vec<PriceEntry>,
    /// Pieces on hand.
    pub on_hand: Option<i64>,
    /// Where they are.
    pub location: String,
}

impl Mapping {
    /// Makes a product out of a record's fields. What can be repaired is, and is told in [`Mapped::repairs`].
    ///
    /// # Errors
    /// A sentence about the field that is missing or wrong.
    pub fn apply(&self, fields: &Fields) -> Result<Mapped, String> {
        let needed = |found: Option<String>, target: &str, names: &[String]| {
            found.ok_or_else(|| {
                format!("there is no {target}: the field `{}` is missing or empty", names.join("` or `"))
            })
        };
        let mut repairs = Repairs::default();
        let id = needed(self.id.text(fields)?, "id", &self.id.0)?;
        let title = needed(self.title.text(fields)?, "title", &self.title.0)?;
        let released_at = match self.released_at.first(fields) {
            Some((name, value)) => Some(value::moment(name, &value::text(name, value)?)?),
            None => None,
        };
        let (mut variants, offers) = self.variants_of(&id, fields, &mut repairs)?;
        let mut attributes = attributes::collect(&self.attributes, fields, &self.used_fields())?;
        attributes::collect_pairs(&self.attribute_pairs, fields, &mut attributes)?;
        let images = tidy::images(&self.images.texts(fields)?, &mut repairs);
        tidy::variants(&id, &mut variants, &mut repairs);
        let mut edge = |rule: &Option<MeasureRule>| measured(rule.as_ref(), Measure::Length, fields, &mut repairs);
        let (length_mm, width_mm, height_mm) = (edge(&self.length)?, edge(&self.width)?, edge(&self.height)?);
        let mut product = ProductLine {
            tax_class: self.tax_class.text(fields)?.map(|name| slugify(&name)),
            weight_grams: measured(self.weight.as_ref(), Measure::Weight, fields, &mut repairs)?,
            length_mm,
            width_mm,
            height_mm,
            slug: self.slug.text(fields)?,
            part_number: self.part_number.text(fields)?,
            description: self.description.text(fields)?,
            brand: self.brand.text(fields)?,
            product_type: self.product_type.text(fields)?,
            categories: Vec::new(),
            attributes,
            options: tidy::options(&mut variants, &mut repairs),
            publish: self.is_published(fields)?,
            external_id: id,
            title,
            variants,
            images,
            released_at,
        };
        tidy::texts(&mut product, &mut repairs);
        if product.title.is_empty() {
            return Err(format!(
                "there is no title: the field `{}` holds nothing that can be read",
                self.title.0.join("` or `")
            ));
        }
        Ok(Mapped { product, categories: self.categories_of(fields, &mut repairs)?, offers, repairs })
    }

    fn is_published(&self, fields: &Fields) -> Result<bool, String> {
        match &self.publish {
            Publish::Always(publish) => Ok(*publish),
            Publish::Field(source) => source.first(fields).map_or(Ok(false), |(name, value)| value::flag(name, value)),
        }
    }

    fn categories_of(&self, fields: &Fields, repairs: &mut Repairs) -> Result<Vec<CategoryPath>, String> {
        let Some(rule) = &self.categories else { return Ok(Vec::new()) };
        let mut paths = Vec::new();
        for text in rule.field.texts(fields)? {
            let text = text::entities("categories", &text, repairs);
            let listed: Vec<String> = match rule.list_separator.as_deref() {
                Some(separator) => text.split(separator).map(str::to_owned).collect(),
                None => vec![text],
            };
            let is_id = |text: &String| rule.skip_numbers && text.trim().chars().all(|sign| sign.is_ascii_digit());
            for text in listed.into_iter().filter(|text| !is_id(text)) {
                let name = |name: &str| text::line("categories", name, LONGEST_CATEGORY, &mut Repairs::default());
                let names: Vec<_> = text.split(&rule.separator).map(name).collect();
                let names: Vec<_> = names.into_iter().filter(|name| !name.is_empty()).collect();
                if !names.is_empty() {
                    paths.push(CategoryPath::new(names, rule.slug));
                }
            }
        }
        Ok(paths)
    }

    /// The variants listed, or the record itself as its only one.
    fn variants_of(&self, id: &str, fields: &Fields, repairs: &mut Repairs) -> Result<Variants, String> {
        let listed = self.variants.as_ref().and_then(|rule| Some((rule, rule.field.first(fields)?)));
        if let Some((rule, (name, value))) = listed {
            let list = value.as_array().ok_or_else(|| format!("the field `{name}` should hold a list of variants"))?;
            let (mut variants, mut first) = (Variants::default(), None);
            for (index, value) in list.iter().enumerate() {
                let at = |reason: String| format!("variant {} of `{name}`: {reason}", index + 1);
                let fields = value.as_object().ok_or_else(|| at("it is not an object of fields".to_owned()))?;
                let first: &Fields = first.get_or_insert(fields);
                if !rule.when.0.is_empty() && !rule.when.is_there(fields) {
                    continue;
                }
                let (line, offer) = variant(rule, self, first, fields, repairs).map_err(at)?;
                variants.0.push(line);
                variants.1.push(offer);
            }
            if !variants.0.is_empty() {
                return Ok(variants);
            }
        }
        let variant = VariantLine {
            sku: self.sku.text(fields)?.unwrap_or_else(|| id.to_owned()),
            eans: tidy::eans(&self.ean.texts(fields)?, repairs),
            options: BTreeMap::new(),
            attributes: BTreeMap::new(),
            weight_grams: None,
        };
        Ok((vec![variant], vec![offer::offer(self.price.as_ref(), self.stock.as_ref(), fields, repairs)?]))
    }
}

/// The longest name of a category.
const LONGEST_CATEGORY: usize = 300;

/// Variants, and what each costs and how many there are.
type Variants = (Vec<VariantLine>, Vec<Offer>);

/// One variant of a list; `first` is the first of its members, which alone may name the options.
fn variant(
    rule: &VariantRule,
    mapping: &Mapping,
    first: &Fields,
    fields: &Fields,
    repairs: &mut Repairs,
) -> Result<(VariantLine, Offer), String> {
    let mut options = BTreeMap::new();
    for name in &rule.options.0 {
        match value::find(fields, name) {
            Some(Value::Object(members)) => {
                for (option, value) in members {
                    options.insert(option.clone(), value::text(option, value)?);
                }
            }
            Some(value) => {
                options.insert(name.clone(), value::text(name, value)?);
            }
            None => {}
        }
    }
    for [name, value] in &rule.option_pairs {
        let named = value::find(fields, name).or_else(|| value::find(first, name));
        if let (Some(option), Some(chosen)) = (named, value::find(fields, value)) {
            options.insert(value::text(name, option)?, value::text(value, chosen)?);
        }
    }
    let weight = rule.weight.as_ref().or(mapping.weight.as_ref().filter(|_| mapping.group.is_some()));
    let line = VariantLine {
        sku: rule.sku.text(fields)?.unwrap_or_default(),
        eans: tidy::eans(&rule.ean.texts(fields)?, repairs),
        options,
        attributes: attributes::collect(&rule.attributes, fields, &BTreeSet::new())?,
        weight_grams: measured(weight, Measure::Weight, fields, repairs)?,
    };
    let price =
        rule.price.as_ref().or(mapping.price.as_ref().filter(|_| rule.price.is_none() && mapping.group.is_some()));
    let stock = rule.stock.as_ref().or(mapping.stock.as_ref().filter(|_| mapping.group.is_some()));
    Ok((line, offer::offer(price, stock, fields, repairs)?))
}

/// The weight or length in the field of a rule, if both are there.
fn measured(
    rule: Option<&MeasureRule>,
    what: Measure,
    fields: &Fields,
    repairs: &mut Repairs,
) -> Result<Option<i64>, String> {
    let Some((rule, (name, value))) = rule.and_then(|rule| Some((rule, rule.field.first(fields)?))) else {
        return Ok(None);
    };
    Ok(measure::read(what, rule.unit, (name, &value::text(name, value)?), repairs))
}
