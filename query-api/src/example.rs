//! The product that the examples of the OpenAPI document show.

use schemas::{
    NaiveDate, Timestamp, Uuid,
    events::{
        catalog::Image,
        promotions::{Conditions, Effect, Level, PromotionContent, Selection, Stacking, UsageLimits},
    },
    ids::ProductId,
    money::Currency,
    product_page::{
        Availability, DocumentCategory, PageVariant, PageVersions, PriceSpan, PriceTier, ProductPage, ProductStatus,
        VariantPrice,
    },
};
use search::query::HitCard;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Its id, and with the last digit counted on, those of its variants and categories.
const ID: u128 = 0x0199_2f6e_8a5c_7c31_9d1f_3b8e_5a70_c410;

/// The index generation that is in use.
pub const GENERATION: &str = "g1";

/// The product's id.
#[must_use]
pub const fn product() -> ProductId {
    ProductId(id(0))
}

/// Another id of the same examples.
#[must_use]
pub const fn id(nth: u128) -> Uuid {
    Uuid::from_u128(ID + nth)
}

/// A promotion by codes.
#[must_use]
pub fn promotion() -> PromotionContent {
    PromotionContent {
        title: "10 % off".to_owned(),
        needs_code: true,
        from: None,
        until: None,
        conditions: Conditions::default(),
        target: Selection::default(),
        level: Level::Order,
        effect: Effect::Percentage { rate_ppm: 100_000, most: Vec::new() },
        stacking: Stacking::default(),
        limits: UsageLimits { by_customer: Some(1), ..UsageLimits::default() },
        is_given_back: true,
    }
}

/// When everything in the examples happened.
#[must_use]
pub const fn moment() -> Timestamp {
    match Timestamp::from_timestamp_micros(1_790_000_000_250_000) {
        Some(moment) => moment,
        None => Timestamp::UNIX_EPOCH,
    }
}

/// The day of it.
#[must_use]
pub fn day() -> NaiveDate {
    moment().date_naive()
}

/// An object of JSON without fields.
#[must_use]
pub fn no_fields() -> Box<RawValue> {
    RawValue::from_string("{}".to_owned()).unwrap_or_default()
}

/// What is said of US dollars; nothing if there were none.
fn in_dollars<T>(of: T) -> BTreeMap<Currency, T> {
    "USD".parse::<Currency>().into_iter().zip([of]).collect()
}

fn image() -> Image {
    Image { url: "https://shop.example/kettle.jpg".to_owned(), alt: Some("A kettle with a thin spout".to_owned()) }
}

/// The product as lists of hits show it.
#[must_use]
pub fn card() -> HitCard {
    HitCard {
        id: product(),
        external_id: Some("k-1".to_owned()),
        slug: "gooseneck-kettle".to_owned(),
        title: "Gooseneck kettle".to_owned(),
        part_number: None,
        brand: Some("Acme".to_owned()),
        product_type: Some("kettle".to_owned()),
        image: Some(image()),
        prices: in_dollars(PriceSpan { min: 4_999, max: 5_499, list: 5_999 }),
        available: true,
        variants: 1,
        released_at: None,
    }
}

/// The product's page.
#[must_use]
pub fn page() -> ProductPage {
    let variant = PageVariant {
        id: id(1).into(),
        sku: "K-1".to_owned(),
        eans: vec!["4006381333931".to_owned()],
        options: BTreeMap::new(),
        attributes: BTreeMap::new(),
        weight_grams: Some(640),
        prices: in_dollars(VariantPrice { amount: 4_999, list_amount: 5_999 }),
        tiers: in_dollars(vec![PriceTier { min_quantity: 10, amount: 4_499, list_amount: 5_999 }]),
        price_sheet: Vec::new(),
        stock: BTreeMap::from([("main".to_owned(), 7)]),
        on_hand: 7,
        availability: Availability::of(7),
    };
    let card = card();
    ProductPage {
        id: card.id,
        status: ProductStatus::Published,
        version: 2,
        external_id: card.external_id,
        slug: card.slug,
        title: card.title,
        part_number: card.part_number,
        brand: card.brand,
        product_type: card.product_type,
        description: Some("Pours slowly and exactly.".to_owned()),
        attributes: BTreeMap::from([
            ("colour".to_owned(), schemas::events::catalog::AttributeValue::Text("black".to_owned())),
            ("weight_g".to_owned(), schemas::events::catalog::AttributeValue::Number(420.0)),
        ]),
        options: Vec::new(),
        images: card.image.into_iter().collect(),
        categories: vec![DocumentCategory {
            path_ids: vec![id(2).into(), id(3).into()],
            path_slugs: vec!["kitchen".to_owned(), "kettles".to_owned()],
            path_names: vec!["Kitchen".to_owned(), "Kettles".to_owned()],
        }],
        released_at: card.released_at,
        tax_class: Some("standard".to_owned()),
        length_mm: Some(310),
        width_mm: Some(180),
        height_mm: Some(220),
        prices: card.prices,
        available: card.available,
        versions: PageVersions {
            catalog: 2,
            pricing: BTreeMap::from([(variant.id, 1)]),
            inventory: BTreeMap::from([(variant.id, 3)]),
        },
        variants: vec![variant],
    }
}
