//! The rules of a product's content alone, one sentence each.

use crate::domain::{
    Slug,
    validation::{Findings, pointer_token},
};
use schemas::events::catalog::{AttributeValue, Image, ProductContent, ProductOption, Schedule};
use std::collections::{BTreeMap, HashSet};

/// Texts are bounded.
pub fn texts_are_bounded(findings: &mut Findings, content: &ProductContent) {
    let pointer = |name: &'static str| move || format!("/{name}");
    findings.line(pointer("title"), &content.title, 1_000);
    if !content.slug.is_empty()
        && let Err(reason) = Slug::parse(&content.slug)
    {
        findings.add("/slug", reason);
    }
    let lines = [
        ("external_id", &content.external_id, 300),
        ("part_number", &content.part_number, 300),
        ("brand", &content.brand, 300),
        ("product_type", &content.product_type, 300),
    ];
    for (name, text, max) in lines {
        if let Some(text) = text {
            findings.line(pointer(name), text, max);
        }
    }
    if let Some(text) = &content.description {
        findings.prose(pointer("description"), text, 100_000);
    }
}

/// The heaviest piece, in grams: ten tonnes.
const HEAVIEST: i64 = 10_000_000;
/// The longest edge of a piece, in millimetres: a hundred metres.
const LONGEST: i64 = 100_000;

/// The first second of the year 10000.
const YEAR_10000: i64 = 253_402_300_800;

/// A piece weighs something and fills a space, where that is said at all; its tax class has a name.
pub fn measures_are_positive(findings: &mut Findings, content: &ProductContent) {
    if let Some(Err(reason)) = content.tax_class.as_deref().map(Slug::parse) {
        findings.add("/tax_class", reason);
    }
    let mut check = |pointer: String, value: Option<i64>, most: i64, unit: &str| {
        if value.is_some_and(|value| !(1..=most).contains(&value)) {
            findings.add(pointer, format!("1 to {most} {unit} are allowed"));
        }
    };
    check("/weight_grams".to_owned(), content.weight_grams, HEAVIEST, "grams");
    let edges = [("length_mm", content.length_mm), ("width_mm", content.width_mm), ("height_mm", content.height_mm)];
    for (name, edge) in edges {
        check(format!("/{name}"), edge, LONGEST, "millimetres");
    }
    for (index, variant) in content.variants.iter().enumerate().take(250) {
        check(format!("/variants/{index}/weight_grams"), variant.weight_grams, HEAVIEST, "grams");
    }
}

/// A schedule names times that databases and people can read, and a product comes into sight before it goes out of it.
pub fn a_product_is_shown_before_it_is_hidden(findings: &mut Findings, schedule: Schedule) {
    for (name, at) in [("publish_at", schedule.publish_at), ("archive_at", schedule.archive_at)] {
        if at.is_some_and(|at| !(0..YEAR_10000).contains(&at.timestamp())) {
            findings.add(format!("/{name}"), "a time from 1970 to the end of 9999 is expected");
        }
    }
    if let (Some(publish), Some(archive)) = (schedule.publish_at, schedule.archive_at)
        && publish >= archive
    {
        findings.add("/archive_at", "a product is archived after it is published");
    }
}

/// Attributes are named and bounded.
pub fn attributes_are_bounded(findings: &mut Findings, base: &str, attributes: &BTreeMap<String, AttributeValue>) {
    findings.count(base, attributes.len(), 500);
    for (name, value) in attributes {
        let pointer = || format!("{base}/{}", pointer_token(name));
        findings.line(pointer, name, 200);
        match value {
            AttributeValue::Bool(_) => {}
            AttributeValue::Number(number) if number.is_finite() => {}
            AttributeValue::Number(_) => findings.add(pointer(), "a number must be finite"),
            AttributeValue::Text(text) => findings.prose(pointer, text, 10_000),
            AttributeValue::Texts(texts) => {
                findings.count(&pointer(), texts.len(), 200);
                for (index, text) in texts.iter().enumerate().take(200) {
                    findings.prose(|| format!("{}/{index}", pointer()), text, 2_000);
                }
            }
        }
    }
}

/// Images have addresses a browser can follow.
pub fn images_have_addresses(findings: &mut Findings, images: &[Image]) {
    findings.count("/images", images.len(), 100);
    for (index, image) in images.iter().enumerate().take(100) {
        let url = &image.url;
        findings.line(|| format!("/images/{index}/url"), url, 2_048);
        if !["https://", "http://", "/"].iter().any(|start| url.starts_with(start)) {
            findings.add(format!("/images/{index}/url"), "an address starts with https://, http:// or /");
        }
        if let Some(alt) = &image.alt {
            findings.prose(|| format!("/images/{index}/alt"), alt, 1_000);
        }
    }
}

/// Options have different names and each offers different values.
pub fn options_are_told_apart(findings: &mut Findings, options: &[ProductOption]) {
    findings.count("/options", options.len(), 10);
    let mut names = HashSet::new();
    for (index, option) in options.iter().enumerate().take(10) {
        findings.line(|| format!("/options/{index}/name"), &option.name, 100);
        if !names.insert(&option.name) {
            findings.add(format!("/options/{index}/name"), "another option has this name");
        }
        let pointer = format!("/options/{index}/values");
        if option.values.is_empty() {
            findings.add(pointer.clone(), "an option offers at least one value");
        }
        findings.count(&pointer, option.values.len(), 250);
        let mut values = HashSet::new();
        for (at, value) in option.values.iter().enumerate().take(250) {
            findings.line(|| format!("{pointer}/{at}"), value, 200);
            if !values.insert(value) {
                findings.add(format!("{pointer}/{at}"), "the option offers this value already");
            }
        }
    }
}

/// Variants differ in SKU, in id and, where there are options, in what was chosen.
pub fn variants_are_told_apart(findings: &mut Findings, content: &ProductContent) {
    if content.variants.is_empty() {
        findings.add("/variants", "a product has at least one variant");
    }
    findings.count("/variants", content.variants.len(), 250);
    let (mut skus, mut ids, mut choices) = (HashSet::new(), HashSet::new(), HashSet::new());
    for (index, variant) in content.variants.iter().enumerate().take(250) {
        let pointer = |name: &str| format!("/variants/{index}/{name}");
        findings.line(|| pointer("sku"), &variant.sku, 100);
        if !skus.insert(&variant.sku) {
            findings.add(pointer("sku"), "another variant of this product has this SKU");
        }
        if !ids.insert(variant.id) {
            findings.add(pointer("id"), "another variant of this product has this id");
        }
        findings.count(&pointer("eans"), variant.eans.len(), 250);
        for (at, ean) in variant.eans.iter().enumerate().take(250) {
            if !(6..=18).contains(&ean.len()) || !ean.bytes().all(|b| b.is_ascii_digit()) {
                findings.add(format!("{}/{at}", pointer("eans")), "an EAN/GTIN is 6 to 18 digits");
            }
        }
        a_variant_chooses_one_value_of_each_option(findings, &pointer("options"), &content.options, &variant.options);
        if !content.options.is_empty() && !choices.insert(&variant.options) {
            findings.add(pointer("options"), "another variant has the same choices");
        }
        attributes_are_bounded(findings, &pointer("attributes"), &variant.attributes);
    }
}

/// A variant chooses one of the offered values of each option, and of nothing else.
pub fn a_variant_chooses_one_value_of_each_option(
    findings: &mut Findings,
    base: &str,
    options: &[ProductOption],
    chosen: &BTreeMap<String, String>,
) {
    for option in options {
        match chosen.get(&option.name) {
            Some(value) if option.values.contains(value) => {}
            Some(_) => {
                findings.add(format!("{base}/{}", pointer_token(&option.name)), "the option does not offer this value");
            }
            None => findings.add(base, format!("a value of the option `{}` is missing", option.name)),
        }
    }
    for name in chosen.keys().filter(|name| !options.iter().any(|option| option.name == **name)).take(10) {
        findings.add(format!("{base}/{}", pointer_token(name)), "the product has no option of this name");
    }
}
