//! Goods that a promotion names: bounded, each thing once.

use crate::domain::validation::{Findings, pointer_token};
use schemas::events::promotions::Selection;
use std::collections::BTreeSet;

/// Things of one kind that a selection names.
const MOST: usize = 500;
/// Attributes that it names, and values of each.
const MOST_ATTRIBUTES: usize = 20;
const MOST_VALUES: usize = 100;
/// The most characters of a name or a value.
pub(super) const MOST_TEXT: usize = 100;

pub(super) fn check(findings: &mut Findings, pointer: &str, selection: &Selection) {
    ids(findings, &format!("{pointer}/products"), &selection.products);
    ids(findings, &format!("{pointer}/variants"), &selection.variants);
    ids(findings, &format!("{pointer}/categories"), &selection.categories);
    ids(findings, &format!("{pointer}/without_products"), &selection.without_products);
    ids(findings, &format!("{pointer}/without_categories"), &selection.without_categories);
    texts(findings, &format!("{pointer}/brands"), &selection.brands, MOST);
    let attributes = format!("{pointer}/attributes");
    findings.count(&attributes, selection.attributes.len(), MOST_ATTRIBUTES);
    for (name, values) in &selection.attributes {
        let pointer = format!("{attributes}/{}", pointer_token(name));
        findings.line(|| pointer.clone(), name, MOST_TEXT);
        if values.is_empty() {
            findings.add(&pointer, "an attribute without values is met by nothing; leave it out");
        }
        texts(findings, &pointer, values, MOST_VALUES);
    }
}

fn ids<T: Ord>(findings: &mut Findings, pointer: &str, ids: &[T]) {
    findings.count(pointer, ids.len(), MOST);
    if ids.iter().collect::<BTreeSet<_>>().len() != ids.len() {
        findings.add(pointer, "each stands once");
    }
}

/// Texts that differ, at most so many.
pub(super) fn texts(findings: &mut Findings, pointer: &str, texts: &[String], most: usize) {
    findings.count(pointer, texts.len(), most);
    let mut seen = BTreeSet::new();
    for (at, text) in texts.iter().enumerate().take(most) {
        findings.line(|| format!("{pointer}/{at}"), text, MOST_TEXT);
        if !seen.insert(text) {
            findings.add(format!("{pointer}/{at}"), "each stands once");
        }
    }
}
