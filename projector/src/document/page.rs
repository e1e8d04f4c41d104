//! Composes the product page: everything a storefront or an editor needs to know of a product, in one row.

use super::{CatalogPart, Parts};
use schemas::{
    ids::ProductId,
    product_page::{PageVariant, PageVersions, ProductPage},
};
use search::document::SearchProduct;

/// The page of a product; prices and stock come from the search document beside it.
pub(super) fn compose(
    id: ProductId,
    version: u64,
    catalog: &CatalogPart,
    parts: &Parts,
    search: &SearchProduct,
) -> ProductPage {
    let content = catalog.content.clone();
    let variants = search
        .variants
        .iter()
        .map(|variant| PageVariant {
            id: variant.id,
            sku: variant.sku.clone(),
            eans: variant.eans.clone(),
            options: variant.options.clone(),
            attributes: variant.attributes.clone(),
            prices: variant.prices.clone(),
            price_sheet: parts.prices.get(&variant.id).map(|(_, entries)| entries.clone()).unwrap_or_default(),
            stock: parts.stock.get(&variant.id).map(|(_, levels)| levels.clone()).unwrap_or_default(),
            on_hand: variant.on_hand,
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
        prices: search.prices.clone(),
        available: search.available,
        variants,
        versions: PageVersions {
            catalog: version,
            pricing: parts.prices.iter().map(|(id, (version, _))| (*id, *version)).collect(),
            inventory: parts.stock.iter().map(|(id, (version, _))| (*id, *version)).collect(),
        },
    }
}
