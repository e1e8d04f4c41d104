//! What stands in a line of a cart: a variant with what it has of its product. Prices, promotions, tax and shipping look at
//! it. Both sides make it of the same content, so that a quote is the same on both.

use crate::{
    events::catalog::{AttributeValue, Image, ProductContent},
    ids::{CategoryId, ProductId, VariantId},
};
use std::collections::{BTreeMap, BTreeSet};

/// Each category with all that are above it, itself included.
pub type Lineages = BTreeMap<CategoryId, BTreeSet<CategoryId>>;

/// A variant that somebody wants to buy.
#[derive(Debug, Clone, PartialEq)]
pub struct Good {
    /// The variant.
    pub variant_id: VariantId,
    /// The product it belongs to.
    pub product_id: ProductId,
    /// The product's version in the catalog.
    pub version: u64,
    /// Whether shoppers see the product.
    pub is_published: bool,
    /// Its stock keeping unit.
    pub sku: String,
    /// The product's name in addresses.
    pub slug: String,
    /// The name people read.
    pub title: String,
    /// What was chosen, by the name of the option.
    pub options: BTreeMap<String, String>,
    /// The maker.
    pub brand: Option<String>,
    /// The main picture.
    pub image: Option<Image>,
    /// Every category it stands in or below.
    pub category_ids: BTreeSet<CategoryId>,
    /// The product's attributes, and in their place those that the variant has of its own.
    pub attributes: BTreeMap<String, AttributeValue>,
    /// The class of goods that says which taxes are due; the standard one, if absent.
    pub tax_class: Option<String>,
    /// What a piece weighs with its packaging, in grams, if that is known.
    pub weight_grams: Option<i64>,
}

impl Good {
    /// A variant of a product; none if the product has no variant of that id. A category whose lineage is not known
    /// counts alone.
    #[must_use]
    pub fn of(
        (product_id, version): (ProductId, u64),
        is_published: bool,
        content: &ProductContent,
        variant_id: VariantId,
        lineages: &Lineages,
    ) -> Option<Self> {
        let variant = content.variants.iter().find(|variant| variant.id == variant_id)?;
        let mut category_ids: BTreeSet<CategoryId> = content.category_ids.iter().copied().collect();
        category_ids.extend(content.category_ids.iter().filter_map(|id| lineages.get(id)).flatten());
        let mut attributes = content.attributes.clone();
        attributes.extend(variant.attributes.clone());
        Some(Self {
            variant_id,
            product_id,
            version,
            is_published,
            sku: variant.sku.clone(),
            slug: content.slug.clone(),
            title: content.title.clone(),
            options: variant.options.clone(),
            brand: content.brand.clone(),
            image: content.images.first().cloned(),
            category_ids,
            attributes,
            tax_class: content.tax_class.clone(),
            weight_grams: variant.weight_grams.or(content.weight_grams),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Uuid, events::catalog::Variant};

    #[test]
    fn a_variant_goes_before_its_product_and_stands_in_all_categories_above() {
        let [root, leaf, lone] = [1, 2, 3].map(|n| CategoryId(Uuid::from_u128(n)));
        let [plain, own] = [10, 11].map(|n| VariantId(Uuid::from_u128(n)));
        let text = |text: &str| AttributeValue::Text(text.to_owned());
        let mut content = ProductContent::named("shoe", "Shoe");
        content.category_ids = vec![leaf, lone];
        content.attributes = BTreeMap::from([("colour".into(), text("red")), ("sole".into(), text("flat"))]);
        (content.tax_class, content.weight_grams) = (Some("reduced".into()), Some(300));
        content.variants = vec![
            Variant::named(plain, "S-1"),
            Variant {
                attributes: BTreeMap::from([("colour".into(), text("blue"))]),
                weight_grams: Some(310),
                ..Variant::named(own, "S-2")
            },
        ];
        let lineages = Lineages::from([(leaf, BTreeSet::from([root, leaf]))]);
        let good = |variant| Good::of((ProductId(Uuid::from_u128(9)), 4), true, &content, variant, &lineages);
        let (first, second) = (good(plain).expect("known"), good(own).expect("known"));
        assert_eq!((first.weight_grams, second.weight_grams), (Some(300), Some(310)));
        assert_eq!((&first.attributes["colour"], &second.attributes["colour"]), (&text("red"), &text("blue")));
        assert_eq!(second.attributes["sole"], text("flat"));
        assert_eq!(first.category_ids, BTreeSet::from([root, leaf, lone]));
        assert_eq!((first.version, first.tax_class.as_deref()), (4, Some("reduced")));
        assert_eq!(good(VariantId(Uuid::from_u128(12))), None);
    }
}
