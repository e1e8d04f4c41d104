//! Composes what is known of one product into the product page and the search document. Pure: facts in,
//! documents out.

use schemas::{
    Timestamp,
    events::{
        catalog::ProductContent,
        pricing::{PriceEntry, effective_price, next_price_change},
    },
    ids::{CategoryId, ProductId, VariantId},
    money::Currency,
    product_page::ProductPage,
};
use search::document::{DocumentCategory, DocumentVariant, PriceSpan, SearchProduct, VariantPrice};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

mod page;

pub use schemas::product_page::ProductStatus as Status;

/// The catalog's part of a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CatalogPart {
    /// Where it is in its life.
    pub status: Status,
    /// What it is.
    pub content: ProductContent,
}

/// Everything known of one product, each part with its version.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parts {
    /// The catalog's part; none before it arrived and after the product was deleted.
    pub catalog: Option<(u64, CatalogPart)>,
    /// The price sheets.
    pub prices: BTreeMap<VariantId, (u64, Vec<PriceEntry>)>,
    /// The stock levels by location.
    pub stock: BTreeMap<VariantId, (u64, BTreeMap<String, i64>)>,
}

/// Paths of the tenant's categories by id.
pub type CategoryPaths = BTreeMap<CategoryId, DocumentCategory>;

/// What follows from the parts of one product.
#[derive(Debug, Clone, PartialEq)]
pub struct Composed {
    /// The product page.
    pub page: ProductPage,
    /// The search document's content; none unless published.
    pub search: Option<SearchProduct>,
    /// Every category the product stands in or below, and those it names that are not known yet.
    pub category_ids: BTreeSet<CategoryId>,
    /// When a scheduled price starts or ends next.
    pub next_price_change_at: Option<Timestamp>,
}

/// Composes page and document as of `now`; nothing while the catalog's part is missing.
#[must_use]
pub fn compose(product_id: ProductId, parts: &Parts, paths: &CategoryPaths, now: Timestamp) -> Option<Composed> {
    let (version, catalog) = parts.catalog.as_ref()?;
    let content = &catalog.content;
    let categories: Vec<DocumentCategory> =
        content.category_ids.iter().filter_map(|id| paths.get(id).cloned()).collect();
    let category_ids = content
        .category_ids
        .iter()
        .copied()
        .chain(categories.iter().flat_map(|c| c.path_ids.iter().copied()))
        .collect();
    let known = content.variants.iter().filter_map(|variant| parts.prices.get(&variant.id));
    let next_price_change_at = known.filter_map(|(_, entries)| next_price_change(entries, now)).min();
    let search = search_product(content, parts, &categories, now);
    let page = page::compose(product_id, *version, catalog, parts, &search);
    let search = (catalog.status == Status::Published).then_some(search);
    Some(Composed { page, search, category_ids, next_price_change_at })
}

fn search_product(
    content: &ProductContent,
    parts: &Parts,
    categories: &[DocumentCategory],
    now: Timestamp,
) -> SearchProduct {
    let variants: Vec<DocumentVariant> = content
        .variants
        .iter()
        .map(|variant| DocumentVariant {
            id: variant.id,
            sku: variant.sku.clone(),
            eans: variant.eans.clone(),
            options: variant.options.clone(),
            attributes: variant.attributes.clone(),
            prices: parts.prices.get(&variant.id).map(|(_, entries)| prices_at(entries, now)).unwrap_or_default(),
            on_hand: parts.stock.get(&variant.id).map_or(0, |(_, levels)| levels.values().sum()),
        })
        .collect();
    SearchProduct {
        external_id: content.external_id.clone(),
        slug: content.slug.clone(),
        title: content.title.clone(),
        part_number: content.part_number.clone(),
        brand: content.brand.clone(),
        product_type: content.product_type.clone(),
        description: content.description.clone(),
        categories: categories.to_vec(),
        attributes: content.attributes.clone(),
        prices: spans(&variants),
        available: variants.iter().any(|variant| variant.on_hand > 0),
        variants,
        image: content.images.first().cloned(),
        released_at: content.released_at,
    }
}

/// The price that counts in each currency.
fn prices_at(entries: &[PriceEntry], now: Timestamp) -> BTreeMap<Currency, VariantPrice> {
    let currencies: BTreeSet<Currency> = entries.iter().map(|entry| entry.currency).collect();
    currencies
        .into_iter()
        .filter_map(|currency| {
            let entry = effective_price(entries, &currency, now)?;
            Some((currency, VariantPrice { amount: entry.amount(), list_amount: entry.list_amount }))
        })
        .collect()
}

fn spans(variants: &[DocumentVariant]) -> BTreeMap<Currency, PriceSpan> {
    let mut spans: BTreeMap<Currency, PriceSpan> = BTreeMap::new();
    for (currency, price) in variants.iter().flat_map(|variant| &variant.prices) {
        let new = PriceSpan { min: price.amount, max: price.amount, list: price.list_amount };
        let span = spans.entry(*currency).or_insert(new);
        if price.amount < span.min {
            (span.min, span.list) = (price.amount, price.list_amount);
        }
        span.max = span.max.max(price.amount);
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::{Uuid, events::catalog::Variant};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).expect("a time")
    }

    fn parts(status: Status) -> Parts {
        let variant = |n: u128| Variant {
            id: VariantId(Uuid::from_u128(n)),
            sku: format!("S{n}"),
            eans: vec![],
            options: BTreeMap::new(),
            attributes: BTreeMap::new(),
        };
        let content = ProductContent {
            external_id: None,
            slug: "kettle".into(),
            title: "Kettle".into(),
            part_number: None,
            description: None,
            brand: None,
            product_type: None,
            category_ids: vec![CategoryId(Uuid::from_u128(9))],
            attributes: BTreeMap::new(),
            options: vec![],
            variants: vec![variant(1), variant(2)],
            images: vec![],
            released_at: None,
        };
        Parts { catalog: Some((3, CatalogPart { status, content })), ..Parts::default() }
    }

    fn entry(list: i64, sale: Option<i64>, from: Option<i64>) -> PriceEntry {
        PriceEntry {
            currency: "USD".parse().expect("a code"),
            list_amount: list,
            sale_amount: sale,
            valid_from: from.map(at),
            valid_until: None,
        }
    }

    #[test]
    fn only_published_products_are_searched() {
        for (status, searched) in [(Status::Draft, false), (Status::Published, true), (Status::Archived, false)] {
            let composed =
                compose(ProductId(Uuid::from_u128(1)), &parts(status), &CategoryPaths::new(), at(0)).expect("composed");
            assert_eq!(composed.search.is_some(), searched, "{status:?}");
        }
    }

    #[test]
    fn a_scheduled_price_counts_from_its_moment() {
        let mut parts = parts(Status::Published);
        parts
            .prices
            .insert(VariantId(Uuid::from_u128(1)), (1, vec![entry(500, None, None), entry(500, Some(400), Some(100))]));
        parts.prices.insert(VariantId(Uuid::from_u128(2)), (1, vec![entry(450, None, None)]));
        let span = |now| {
            let composed =
                compose(ProductId(Uuid::from_u128(1)), &parts, &CategoryPaths::new(), at(now)).expect("composed");
            let span = composed.search.expect("published").prices["USD".parse().as_ref().expect("a code")];
            (span.min, span.max, span.list, composed.next_price_change_at)
        };
        assert_eq!(span(99), (450, 500, 450, Some(at(100))));
        assert_eq!(span(100), (400, 450, 500, None));
    }

    #[test]
    fn a_category_that_is_not_known_yet_is_remembered() {
        let composed = compose(ProductId(Uuid::from_u128(1)), &parts(Status::Draft), &CategoryPaths::new(), at(0))
            .expect("composed");
        assert!(composed.category_ids.contains(&CategoryId(Uuid::from_u128(9))));
        assert!(composed.page.categories.is_empty());
    }
}
