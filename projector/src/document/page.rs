//! Composes the product page: everything a storefront or an editor needs to know of a product, in one row.

use super::{CatalogPart, Parts};
use schemas::{
    Timestamp,
    events::pricing::{PriceEntry, price_tiers},
    ids::ProductId,
    money::Currency,
    product_page::{PageVariant, PageVersions, PriceTier, ProductPage},
};
use search::document::SearchProduct;
use std::collections::{BTreeMap, BTreeSet};

/// The page of a product; prices and stock come from the search document beside it.
pub(super) fn compose(
    id: ProductId,
    version: u64,
    catalog: &CatalogPart,
    parts: &Parts,
    search: &SearchProduct,
    now: Timestamp,
) -> ProductPage {
    let content = catalog.content.clone();
    let sheets = |id| parts.prices.get(id).map(|(_, entries)| entries.as_slice()).unwrap_or_default();
    let variants = search
        .variants
        .iter()
        .zip(&content.variants)
        .map(|(variant, own)| PageVariant {
            id: variant.id,
            sku: variant.sku.clone(),
            eans: variant.eans.clone(),
            options: variant.options.clone(),
            attributes: variant.attributes.clone(),
            weight_grams: own.weight_grams.or(content.weight_grams),
            prices: variant.prices.clone(),
            tiers: tiers(sheets(&variant.id), now),
            // Everybody reads the page: what others than everybody pay is shown to staff only.
            price_sheet: sheets(&variant.id).iter().filter(|entry| entry.is_for_everybody()).cloned().collect(),
            stock: parts.stock.get(&variant.id).map(|(_, stock)| stock.on_hand_by_place()).unwrap_or_default(),
            on_hand: variant.on_hand,
            availability: variant.availability(),
        })
        .collect();
    ProductPage {
        id,
        status: catalog.status,
        version,
        external_id: content.external_id,
        slug: content.slug,
        title: content.title,
        part_number: content.part_number,
        brand: content.brand,
        product_type: content.product_type,
        description: content.description,
        attributes: content.attributes,
        options: content.options,
        images: content.images,
        categories: search.categories.clone(),
        released_at: content.released_at,
        tax_class: content.tax_class,
        length_mm: content.length_mm,
        width_mm: content.width_mm,
        height_mm: content.height_mm,
        prices: search.prices.clone(),
        available: search.available,
        variants,
        versions: PageVersions {
            catalog: version,
            pricing: parts.prices.iter().map(|(id, (version, _))| (*id, *version)).collect(),
            inventory: parts.stock.iter().map(|(id, (version, stock))| (*id, stock.seen_at(*version))).collect(),
        },
    }
}

/// The lower prices of more pieces, in each currency that has any.
fn tiers(entries: &[PriceEntry], now: Timestamp) -> BTreeMap<Currency, Vec<PriceTier>> {
    let currencies: BTreeSet<Currency> = entries.iter().map(|entry| entry.currency).collect();
    let tier = |entry: &PriceEntry| PriceTier {
        min_quantity: entry.min_quantity,
        amount: entry.amount(),
        list_amount: entry.list_amount,
    };
    let of = |currency| (currency, price_tiers(entries, &currency, now).into_iter().map(tier).collect::<Vec<_>>());
    currencies.into_iter().map(of).filter(|(_, tiers)| !tiers.is_empty()).collect()
}
