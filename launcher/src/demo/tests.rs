use super::*;
use crate::import::mapping::Mapping;
use std::collections::{BTreeMap, HashSet};

/// Of the first thousand products of seed 7. It changes only when what is generated changes, and
/// then the changelog says so.
const DIGEST: &str = "dce695eaa34463a30a60916bedc669e18a156f7021128575909f7d34cdc4c751";

fn bytes(seed: u64, products: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for product in Generator::new(seed).take(products) {
        serde_json::to_writer(&mut bytes, &product).expect("JSON");
        bytes.push(b'\n');
    }
    bytes
}

#[test]
fn a_seed_gives_the_same_bytes_for_ever() {
    let digest = import::sha256_hex(&bytes(DEFAULT_SEED, 1_000));
    assert_eq!(digest, DIGEST);
    assert_ne!(import::sha256_hex(&bytes(DEFAULT_SEED + 1, 1_000)), DIGEST);
}

#[test]
fn ten_thousand_products_have_unique_names_and_valid_codes() {
    let mut seen: [HashSet<String>; 5] = Default::default();
    let mut variants = 0;
    for product in Generator::new(DEFAULT_SEED).take(10_000) {
        for (names, name) in seen.iter_mut().zip([&product.id, &product.slug, &product.title, &product.part_number]) {
            assert!(names.insert(name.clone()), "{name} stands twice");
        }
        assert!(!product.title.contains(['{', '}']) && !product.description.contains(['{', '}']), "{product:?}");
        for variant in &product.variants {
            variants += 1;
            assert!(seen[4].insert(variant.sku.clone()), "{} stands twice", variant.sku);
            let (digits, check) = variant.ean.split_at(12);
            assert_eq!(name::check_digit(digits).to_string(), check, "{}", variant.ean);
            assert!(variant.list_price > 0 && variant.stock >= 0);
            assert!(variant.sale_price.is_none_or(|sale| sale > 0 && sale < variant.list_price), "{variant:?}");
        }
    }
    assert!((20_000..60_000).contains(&variants), "{variants}");
}

#[test]
fn categories_differ_in_size_as_those_of_a_shop_do() {
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    for product in Generator::new(DEFAULT_SEED).take(10_000) {
        let category = product.categories.first().expect("a category");
        *sizes.entry(category.split(" > ").next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    let (least, most) = (sizes.values().min().expect("some"), sizes.values().max().expect("some"));
    assert!(*least > 200 && most > &(least * 3 / 2), "{sizes:?}");
}

#[test]
fn the_demo_mapping_takes_every_product_whole() {
    let mapping = Mapping::load("demo").expect("shipped");
    for product in Generator::new(3).take(500) {
        let record = serde_json::to_value(&product).expect("JSON");
        let mapped = mapping.apply(record.as_object().expect("an object")).expect("mapped");
        assert_eq!(mapped.product.variants.len(), product.variants.len());
        assert_eq!(mapped.product.attributes.len(), product.attributes.len());
        assert_eq!(mapped.categories.len(), 1);
        assert_eq!(mapped.product.slug.as_deref(), Some(product.slug.as_str()));
        let options: HashSet<_> = product.variants[0].options.keys().collect();
        assert_eq!(mapped.product.options.len(), options.len());
        for (offer, variant) in mapped.offers.iter().zip(&product.variants) {
            let price = offer.prices.first().expect("a price");
            assert_eq!((price.list_amount, price.sale_amount), (variant.list_price, variant.sale_price));
            assert_eq!(offer.on_hand, Some(variant.stock));
        }
    }
}

#[test]
fn the_settings_of_the_demo_are_settings() {
    use schemas::events::settings::{Channel, Location, ShippingMethod, ShopPolicy, TaxZone};
    let mut kinds = BTreeMap::<String, usize>::new();
    for (path, body) in settings::all().expect("JSON") {
        let kind = path.trim_start_matches("/v1/settings/").split('/').next().expect("a kind").to_owned();
        let read = match kind.as_str() {
            "tax-zones" => serde_json::from_value::<TaxZone>(body).map(drop),
            "shipping-methods" => serde_json::from_value::<ShippingMethod>(body).map(drop),
            "locations" => serde_json::from_value::<Location>(body).map(drop),
            "channels" => serde_json::from_value::<Channel>(body).map(drop),
            _ => serde_json::from_value::<ShopPolicy>(body).map(drop),
        };
        assert!(read.is_ok(), "{path}: {read:?}");
        *kinds.entry(kind).or_default() += 1;
    }
    let counts: Vec<(&str, usize)> = kinds.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    assert_eq!(counts, [("channels", 1), ("locations", 2), ("policy", 1), ("shipping-methods", 3), ("tax-zones", 2)]);
}

#[test]
fn the_promotions_of_the_demo_are_promotions() {
    let category = "01900000-0000-7000-8000-0000000000d1";
    for (name, content) in promotions::all(category) {
        let read = serde_json::from_value::<schemas::events::promotions::PromotionContent>(content);
        assert!(read.is_ok(), "{name}: {read:?}");
    }
}
