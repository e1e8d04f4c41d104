//! Brings a product to what souk takes: texts within their bounds, SKUs for all, options that tell variants apart.
//!
//! The bounds are those of the write API's policies of products.

use super::product::{ProductLine, VariantLine};
use crate::import::repair::{Repair, Repairs, codes, text};
use schemas::events::catalog::{AttributeValue, Image, ProductOption};
use std::collections::{BTreeMap, HashSet};

const TITLE: usize = 1_000;
const NAME: usize = 300;
const SKU: usize = 100;
const OPTION: usize = 100;
const OPTION_VALUE: usize = 200;
const DESCRIPTION: usize = 100_000;
const ATTRIBUTES: usize = 500;
const ATTRIBUTE_NAME: usize = 200;
const ATTRIBUTE_TEXT: usize = 10_000;
const ATTRIBUTE_TEXTS: usize = 200;
const ATTRIBUTE_TEXTS_EACH: usize = 2_000;
const IMAGES: usize = 100;
const EANS: usize = 250;
const OPTIONS: usize = 10;

/// Pictures by their addresses.
pub(super) fn images(cells: &[String], repairs: &mut Repairs) -> Vec<Image> {
    let mut addresses = codes::addresses("images", cells, repairs);
    addresses.truncate(IMAGES);
    addresses.into_iter().map(|url| Image { url, alt: None }).collect()
}

/// EAN/GTIN codes.
pub(super) fn eans(cells: &[String], repairs: &mut Repairs) -> Vec<String> {
    let mut eans = codes::eans("eans", cells, repairs);
    eans.truncate(EANS);
    eans
}

/// Gives each variant a SKU of its own and tidies what it chooses.
pub(super) fn variants(id: &str, variants: &mut [VariantLine], repairs: &mut Repairs) {
    let (alone, mut taken) = (variants.len() == 1, HashSet::new());
    for (index, variant) in variants.iter_mut().enumerate() {
        let tidied = std::mem::take(&mut variant.options).into_iter().map(|(name, value)| {
            let name = text::line("options", &name, OPTION, repairs);
            (name, text::line("options", &value, OPTION_VALUE, repairs))
        });
        variant.options = tidied.filter(|(name, value)| !name.is_empty() && !value.is_empty()).collect();
        // How Shopify says that there are no options.
        variant.options.retain(|name, value| !(name == "Title" && value == "Default Title"));
        attributes(&mut variant.attributes, repairs);
        let given = text::line("sku", &variant.sku, SKU, repairs);
        let mut sku = given.clone();
        if sku.is_empty() {
            let chosen: Vec<&str> = variant.options.values().map(String::as_str).collect();
            sku = match chosen.join("-") {
                _ if alone => id.to_owned(),
                chosen if chosen.is_empty() => format!("{id}-{}", index + 1),
                chosen => format!("{id}-{chosen}"),
            };
            sku = text::line("sku", &sku, SKU, &mut Repairs::default());
        }
        if !taken.insert(sku.clone()) {
            let ending = format!("-{}", index + 1);
            let begin: String = sku.chars().take(SKU - ending.len()).collect();
            sku = format!("{begin}{ending}");
            taken.insert(sku.clone());
        }
        if sku != given {
            repairs.note(Repair::Sku, "sku", &given, &sku);
        }
        variant.sku = sku;
    }
}

/// The options are what all variants choose of, values in the order they come up. What only some have is an attribute
/// of theirs; variants with the same choices are told apart by their SKUs.
pub(super) fn options(variants: &mut [VariantLine], repairs: &mut Repairs) -> Vec<ProductOption> {
    let names: Vec<String> = variants.iter().flat_map(|variant| variant.options.keys().cloned()).collect();
    let everywhere = |variants: &[VariantLine], name: &String| variants.iter().all(|v| v.options.contains_key(name));
    let mut kept: Vec<String> = Vec::new();
    for name in names {
        if kept.contains(&name) {
            continue;
        }
        if everywhere(variants, &name) && kept.len() < OPTIONS {
            kept.push(name);
            continue;
        }
        for variant in variants.iter_mut() {
            if let Some(value) = variant.options.remove(&name) {
                repairs.note(Repair::Options, "options", &format!("{name}: {value}"), "an attribute of the variant");
                variant.attributes.entry(name.clone()).or_insert(AttributeValue::Text(value));
            }
        }
    }
    let choices: HashSet<&BTreeMap<String, String>> = variants.iter().map(|variant| &variant.options).collect();
    if !kept.is_empty() && choices.len() < variants.len() {
        let name = "SKU".to_owned();
        repairs.note(Repair::Options, "options", &kept.join(", "), "SKU");
        if kept.len() == OPTIONS
            && let Some(last) = kept.pop()
        {
            variants.iter_mut().for_each(|variant| drop(variant.options.remove(&last)));
        }
        for variant in variants.iter_mut() {
            variant.options.insert(name.clone(), variant.sku.clone());
        }
        if !kept.contains(&name) {
            kept.push(name);
        }
    }
    kept.into_iter().map(|name| option(name, variants)).collect()
}

fn option(name: String, variants: &[VariantLine]) -> ProductOption {
    let mut values: Vec<String> = Vec::new();
    for value in variants.iter().filter_map(|variant| variant.options.get(&name)) {
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    ProductOption { name, values }
}

/// Tidies the texts of a product.
pub(super) fn texts(product: &mut ProductLine, repairs: &mut Repairs) {
    product.title = text::line("title", &product.title, TITLE, repairs);
    let names = [
        ("part_number", &mut product.part_number),
        ("brand", &mut product.brand),
        ("product_type", &mut product.product_type),
    ];
    for (field, name) in names {
        let tidied = name.take().map(|name| text::line(field, &name, NAME, repairs));
        *name = tidied.filter(|name| !name.is_empty());
    }
    let description = product.description.take();
    product.description = description.map(|description| text::prose("description", &description, DESCRIPTION, repairs));
    if let Some(slug) = product.slug.take_if(|slug| !is_slug(slug)) {
        repairs.note(Repair::Slug, "slug", &slug, "");
    }
    attributes(&mut product.attributes, repairs);
}

fn is_slug(text: &str) -> bool {
    let letters = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    (1..=200).contains(&text.len()) && letters && !text.starts_with('-') && !text.ends_with('-') && !text.contains("--")
}

fn attributes(attributes: &mut BTreeMap<String, AttributeValue>, repairs: &mut Repairs) {
    let mut tidied = BTreeMap::new();
    for (name, value) in std::mem::take(attributes) {
        let clean = text::line("attributes", &name, ATTRIBUTE_NAME, repairs);
        if clean.is_empty() || tidied.len() == ATTRIBUTES {
            repairs.note(Repair::Cut, "attributes", &name, "");
            continue;
        }
        let value = match value {
            AttributeValue::Text(text) => AttributeValue::Text(attribute(&clean, &text, ATTRIBUTE_TEXT, repairs)),
            AttributeValue::Texts(mut texts) => {
                texts.truncate(ATTRIBUTE_TEXTS);
                let each = |text: String| attribute(&clean, &text, ATTRIBUTE_TEXTS_EACH, repairs);
                AttributeValue::Texts(texts.into_iter().map(each).collect())
            }
            value @ (AttributeValue::Bool(_) | AttributeValue::Number(_)) => value,
        };
        tidied.entry(clean).or_insert(value);
    }
    *attributes = tidied;
}

/// Attributes are read as texts, not as HTML.
fn attribute(name: &str, value: &str, max: usize, repairs: &mut Repairs) -> String {
    let decoded = text::entities(name, value, repairs);
    text::prose(name, &decoded, max, repairs)
}
