//! The queries that every engine is asked: from a file, or made of the products by a seed.

use super::product::Product;
use crate::BenchError;
use std::{collections::BTreeMap, path::Path};

/// A text, and the brand it is filtered by where a filter is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) text: String,
    pub(crate) brand: String,
}

/// What is asked of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// With a filter by brand, and four facets.
    Filtered,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Text, Self::Filtered];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Filtered => "text + filter + 4 facets",
        }
    }
}

/// What is counted beside the hits.
pub(crate) const FACETS: [&str; 4] = ["brand", "category", "product_type", "available"];

/// Reads a file with a text on each line, and behind a tab the brand to filter by; without one it is the brand of
/// most products.
pub(crate) fn of_file(path: &Path, products: &[Product]) -> Result<Vec<Query>, BenchError> {
    let unreadable = |error: std::io::Error| BenchError::Nothing(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let mut brands: BTreeMap<&str, usize> = BTreeMap::new();
    for brand in products.iter().filter_map(|product| product.brand.as_deref()) {
        *brands.entry(brand).or_default() += 1;
    }
    let usual = brands.into_iter().max_by_key(|(_, count)| *count).map(|(brand, _)| brand).unwrap_or_default();
    let query = |line: &str| {
        let (text, brand) = line.split_once('\t').unwrap_or((line, usual));
        Query { text: text.trim().to_owned(), brand: brand.trim().to_owned() }
    };
    let queries: Vec<Query> = text.lines().filter(|line| !line.trim().is_empty()).map(query).collect();
    if queries.is_empty() {
        return Err(BenchError::Nothing(format!("{} holds no queries", path.display())));
    }
    Ok(queries)
}

/// Two words of a title and its brand, of products all over the catalog.
pub(crate) fn of_products(products: &[Product], count: u64, seed: u64) -> Vec<Query> {
    let letters = |word: &&str| word.len() > 3 && word.chars().all(char::is_alphabetic);
    let query = |product: &Product| {
        let long: Vec<&str> = product.title.split_whitespace().filter(letters).collect();
        let [.., one, two] = long.as_slice() else { return None };
        Some(Query { text: format!("{one} {two}"), brand: product.brand.clone()? })
    };
    let usable: Vec<Query> = products.iter().filter_map(query).collect();
    let mut state = seed | 1;
    let mut next = || {
        // A linear congruential generator (Knuth's MMIX) is random enough to pick products.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or_default()
    };
    (0..count).filter_map(|_| usable.get(next() % usable.len().max(1)).cloned()).collect()
}
