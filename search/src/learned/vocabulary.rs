//! What a shop's words mean: the brands, categories, kinds and attribute values that its products have.

use super::{IndexError, counts, key};
use crate::{reader::Snapshot, schema::attribute_path};
use schemas::{
    filter::{Field, Filter, Test},
    ids::TenantId,
};
use std::collections::{BTreeMap, HashMap};

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
    brands: HashMap<Vec<String>, String>,
}

impl Vocabulary {
    /// Reads a tenant's columns.
    pub(super) fn learn(snapshot: &Snapshot, tenant: TenantId) -> Result<Self, IndexError> {
        let mut vocabulary = Self::default();
        for (value, products) in counts(snapshot, tenant, "brand")? {
            vocabulary.brands.insert(key(&value), value.clone());
            vocabulary.add(Field::Brand, value, products);
        }
        for (value, products) in counts(snapshot, tenant, "product_type")? {
            vocabulary.add(Field::ProductType, value, products);
        }
        for (path, products) in counts(snapshot, tenant, "category_path")? {
            let slug = path.rsplit('/').next().unwrap_or(&path).to_owned();
            vocabulary.add(Field::Category, slug, products);
        }
        let mut names: Vec<(String, u64)> = counts(snapshot, tenant, "names")?.into_iter().collect();
        names.sort_by(|(a, x), (b, y)| y.cmp(x).then(a.cmp(b)));
        for (name, _) in names.into_iter().take(ATTRIBUTES) {
            let values: BTreeMap<String, u64> = counts(snapshot, tenant, &format!("attr.{}", attribute_path(&name)))?;
            if values.len() <= CHOICES {
                for (value, products) in values {
                    vocabulary.add(Field::Attribute(name.clone()), value, products);
                }
            }
        }
        Ok(vocabulary)
    }

    fn add(&mut self, field: Field, value: String, products: u64) {
        let words = key(&value);
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

    /// The brand that words name.
    #[must_use]
    pub fn brand(&self, words: &[String]) -> Option<&str> {
        self.brands.get(words).map(String::as_str)
    }

    /// Longest run of words that can mean something.
    #[must_use]
    pub const fn longest(&self) -> usize {
        LONGEST
    }
}
