//! The plain meaning of a filter, over all products: what every engine has to agree with.

use super::{
    engine::{Answer, Engine},
    product::Product,
    queries::{Kind, Query},
};
use crate::BenchError;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Brands whose products every engine has to count.
const BRANDS: usize = 25;

/// The brand of each product.
#[derive(Debug)]
pub(crate) struct Oracle<'a> {
    brands: HashMap<&'a str, Option<&'a str>>,
    counts: BTreeMap<&'a str, u64>,
}

impl<'a> Oracle<'a> {
    pub(crate) fn new(products: &'a [Product]) -> Self {
        let brands = products.iter().map(|product| (product.id.as_str(), product.brand.as_deref())).collect();
        let mut counts = BTreeMap::new();
        for brand in products.iter().filter_map(|product| product.brand.as_deref()) {
            *counts.entry(brand).or_default() += 1;
        }
        Self { brands, counts }
    }

    /// Every hit is a product and passes the filter, and the facet of the brand says as many as were found.
    pub(crate) fn check(&self, engine: &Engine, query: &Query, kind: Kind, answer: &Answer) -> Result<(), BenchError> {
        let wrong = |what: String| Err(BenchError::Failed(format!("{}, `{}`: {what}", engine.name(), query.text)));
        for id in &answer.ids {
            match self.brands.get(id.as_str()) {
                None => return wrong(format!("{id} is no product")),
                Some(brand) if kind == Kind::Filtered && *brand != Some(query.brand.as_str()) => {
                    return wrong(format!("{id} is not of the brand {}", query.brand));
                }
                Some(_) => {}
            }
        }
        let own = answer.facets.get("brand").and_then(|values| values.get(&query.brand)).copied().unwrap_or_default();
        // Meilisearch estimates how many there are.
        let exact = !matches!(engine, Engine::Meilisearch(_));
        if exact && kind == Kind::Filtered && own != answer.total {
            return wrong(format!("{} were found and {own} counted of the brand {}", answer.total, query.brand));
        }
        Ok(())
    }

    /// The engine counts as many products of a brand as there are.
    pub(crate) async fn check_counts(&self, engine: &Engine, queries: &[Query]) -> Result<(), BenchError> {
        let brands: BTreeSet<&str> = queries.iter().map(|query| query.brand.as_str()).collect();
        for brand in brands.into_iter().take(BRANDS) {
            let (there, counted) = (self.counts.get(brand).copied().unwrap_or_default(), engine.count(brand).await?);
            if there != counted {
                let name = engine.name();
                return Err(BenchError::Failed(format!(
                    "{name} counts {counted} products of {brand}, there are {there}"
                )));
            }
        }
        Ok(())
    }
}
