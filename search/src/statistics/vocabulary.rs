//! What a shop's words mean: the brands, categories, kinds and attribute values that its products have.

use super::{IndexError, counts};
use crate::{analyzer, schema::attribute_path, segments::Segments};
use schemas::{
    filter::{Field, Filter, Test},
    ids::TenantId,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tantivy::tokenizer::TextAnalyzer;

/// Longest value, in words, that is recognised in a query.
const LONGEST: usize = 4;
/// Attributes whose values are looked up: those that most products have.
const ATTRIBUTES: usize = 60;
/// Most values of an attribute that shoppers choose from: more than that are names, not choices.
const CHOICES: usize = 300;

/// A reading of some words.
#[derive(Debug, Clone, PartialEq)]
pub struct Meaning {
    /// The condition: brand, category, kind or attribute.
    pub filter: Filter,
    /// How many products meet it.
    pub products: u64,
}

/// Words and what they may mean.
#[derive(Debug, Default)]
pub struct Vocabulary {
    meanings: HashMap<Vec<String>, Vec<Meaning>>,
    /// Brands and slugs of categories, each as typed in lower case, as written, and with its products.
    brands: Vec<(String, String, u64)>,
    categories: Vec<(String, String, u64)>,
    /// Attributes with some values to choose from.
    choices: BTreeSet<String>,
}

impl Vocabulary {
    /// Reads a tenant's columns.
    pub(super) fn collect(segments: &Segments, tenant: TenantId) -> Result<Self, IndexError> {
        let mut vocabulary = Self::default();
        let mut analyzer = analyzer::of_index(segments.searcher.index());
        for (value, products) in counts(segments, tenant, "brand")? {
            vocabulary.brands.push((typed(&value), value.clone(), products));
            vocabulary.add(&mut analyzer, Field::Brand, value, products);
        }
        for (value, products) in counts(segments, tenant, "product_type")? {
            vocabulary.add(&mut analyzer, Field::ProductType, value, products);
        }
        for (path, products) in counts(segments, tenant, "category_path")? {
            let slug = path.rsplit('/').next().unwrap_or(&path).to_owned();
            vocabulary.categories.push((typed(&slug), slug.clone(), products));
            vocabulary.add(&mut analyzer, Field::Category, slug, products);
        }
        let mut names: Vec<(String, u64)> = counts(segments, tenant, "names")?.into_iter().collect();
        names.sort_by(|(a, x), (b, y)| y.cmp(x).then(a.cmp(b)));
        for (name, _) in names.into_iter().take(ATTRIBUTES) {
            let values: BTreeMap<String, u64> = counts(segments, tenant, &format!("attr.{}", attribute_path(&name)))?;
            if values.len() <= CHOICES {
                if values.len() > 1 {
                    vocabulary.choices.insert(name.clone());
                }
                for (value, products) in values {
                    vocabulary.add(&mut analyzer, Field::Attribute(name.clone()), value, products);
                }
            }
        }
        Ok(vocabulary)
    }

    /// A value is known by its terms, as a query's words would be read.
    fn add(&mut self, analyzer: &mut TextAnalyzer, field: Field, value: String, products: u64) {
        let words = analyzer::terms(analyzer, &value);
        if words.is_empty()
            || words.len() > LONGEST
            || words.iter().all(|word| word.chars().all(|c| c.is_ascii_digit()))
        {
            return;
        }
        let meaning = Meaning { filter: Filter::Is(field, Test::In(vec![value])), products };
        self.meanings.entry(words).or_default().push(meaning);
    }

    /// What words mean, taken together.
    #[must_use]
    pub fn meanings(&self, words: &[String]) -> &[Meaning] {
        if words.len() > LONGEST { &[] } else { self.meanings.get(words).map_or(&[], Vec::as_slice) }
    }

    /// Brands that begin as the text does, or have a word that begins like its last one.
    #[must_use]
    pub fn brands_like(&self, text: &str, last: &str, limit: usize) -> Vec<(String, u64)> {
        like(&self.brands, text, last, limit)
    }

    /// Slugs of categories that begin as the text does, or have a word that begins like its last one.
    #[must_use]
    pub fn categories_like(&self, text: &str, last: &str, limit: usize) -> Vec<(String, u64)> {
        like(&self.categories, text, last, limit)
    }

    /// Whether shoppers choose from the values of an attribute.
    #[must_use]
    pub fn is_choice(&self, attribute: &str) -> bool {
        self.choices.contains(attribute)
    }

    /// Longest run of words that can mean something.
    #[must_use]
    pub const fn longest(&self) -> usize {
        LONGEST
    }
}

/// As people type it: lower case, accents folded, single spaces.
fn typed(value: &str) -> String {
    analyzer::terms(&mut analyzer::plain(), value).join(" ")
}

fn like(known: &[(String, String, u64)], text: &str, last: &str, limit: usize) -> Vec<(String, u64)> {
    let whole = |typed: &str| !text.is_empty() && typed.starts_with(text);
    let part = |typed: &str| !last.is_empty() && typed.split(' ').any(|word| word.starts_with(last));
    let mut found: Vec<&(String, String, u64)> =
        known.iter().filter(|(typed, ..)| whole(typed) || part(typed)).collect();
    found.sort_by_key(|(typed, value, products)| (!whole(typed), std::cmp::Reverse(*products), value.clone()));
    found.into_iter().take(limit).map(|(_, value, products)| (value.clone(), *products)).collect()
}
