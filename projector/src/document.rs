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
use std::collections::{BTreeMap, BTreeSet};

mod page;
mod stock;

pub use schemas::product_page::{CatalogPart, ProductStatus as Status};
pub use stock::{Level, StockPart, is_seen};

/// Everything known of one product, each part with its version.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parts {
    /// The catalog's part; none before it arrived and after the product was deleted.
    pub catalog: Option<(u64, CatalogPart)>,
    /// The price sheets.
    pub prices: BTreeMap<VariantId, (u64, Vec<PriceEntry>)>,
    /// The stock by location.
    pub stock: BTreeMap<VariantId, (u64, StockPart)>,
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
    let page = page::compose(product_id, *version, catalog, parts, &search, now);
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
            on_hand: parts.stock.get(&variant.id).map_or(0, |(_, stock)| stock.on_hand()),
            availability: parts.stock.get(&variant.id).and_then(|(_, stock)| stock.availability()),
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
        available: variants.iter().any(|variant| variant.availability().is_any()),
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
    use schemas::{
        Uuid,
        events::catalog::{Schedule, Variant},
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).expect("a time")
    }

    fn parts(status: Status) -> Parts {
        let variant = |n: u128| Variant::named(VariantId(Uuid::from_u128(n)), &format!("S{n}"));
        let content = ProductContent {
            category_ids: vec![CategoryId(Uuid::from_u128(9))],
            variants: vec![variant(1), variant(2)],
            ..ProductContent::named("kettle", "Kettle")
        };
        Parts { catalog: Some((3, CatalogPart { status, content, schedule: Schedule::default() })), ..Parts::default() }
    }

    fn entry(list: i64, sale: Option<i64>, from: Option<i64>) -> PriceEntry {
        PriceEntry { sale_amount: sale, valid_from: from.map(at), ..PriceEntry::always(Currency::USD, list) }
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
    fn what_others_pay_is_neither_found_nor_shown_but_tiers_are() {
        let mut parts = parts(Status::Published);
        let group = PriceEntry { group: Some("trade".into()), ..entry(300, None, Some(50)) };
        let channel = PriceEntry { channel: Some("app".into()), ..entry(200, None, None) };
        let many = PriceEntry { min_quantity: 10, ..entry(450, None, Some(100)) };
        let sheet = vec![entry(500, None, None), group, channel, many.clone()];
        parts.prices.insert(VariantId(Uuid::from_u128(1)), (1, sheet));
        let composed =
            |now| compose(ProductId(Uuid::from_u128(1)), &parts, &CategoryPaths::new(), at(now)).expect("composed");
        let (before, after) = (composed(99), composed(100));
        let span = |composed: &Composed| composed.search.as_ref().map(|search| search.prices[&Currency::USD].min);
        assert_eq!((span(&before), span(&after)), (Some(500), Some(500)));
        assert_eq!(composed(0).next_price_change_at, Some(at(100)), "a start for a group changes nothing");
        assert!(before.page.variants[0].tiers.is_empty());
        let tier = after.page.variants[0].tiers[&Currency::USD][0];
        assert_eq!((tier.min_quantity, tier.amount), (10, 450));
        assert_eq!(after.page.variants[0].price_sheet, [entry(500, None, None), many]);
    }

    #[test]
    fn a_category_that_is_not_known_yet_is_remembered() {
        let composed = compose(ProductId(Uuid::from_u128(1)), &parts(Status::Draft), &CategoryPaths::new(), at(0))
            .expect("composed");
        assert!(composed.category_ids.contains(&CategoryId(Uuid::from_u128(9))));
        assert!(composed.page.categories.is_empty());
    }
}
