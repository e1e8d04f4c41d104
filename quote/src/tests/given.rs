//! Facts to begin with: a shop in one tax zone, and what may be in it.

use crate::{
    Facts, Quote,
    facts::{CartLine, CodeFact, GiftFact, PromotionFact, ShipmentGroup, Versioned},
    price,
};
use schemas::{
    Timestamp, Uuid,
    events::{
        pricing::PriceEntry,
        promotions::{Effect, Level, PromotionContent, Selection, Stacking},
        settings::{
            ForeignPrices, LatePayments, ShippingMethod, ShippingPrice, ShippingTier, ShopPolicy, TaxMode, TaxRate,
            TaxZone,
        },
    },
    ids::{LineId, ProductId, VariantId},
    money::{Currency, Money},
    place::{Area, Place},
};
use std::collections::{BTreeMap, BTreeSet};

pub fn currency(code: &str) -> Currency {
    code.parse().expect("a code")
}

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub fn line_id(n: u128) -> LineId {
    LineId(Uuid::from_u128(n))
}

pub fn variant(n: u128) -> VariantId {
    VariantId(Uuid::from_u128(n + 1_000))
}

pub fn sheet(code: &str, amount: i64) -> Option<Versioned<Vec<PriceEntry>>> {
    let entry = PriceEntry::always(currency(code), amount);
    Some(Versioned { version: 1, value: vec![entry] })
}

/// Pieces of the variant of that number, in a line of the same number.
pub fn line(n: u128, code: &str, amount: i64, quantity: u32) -> CartLine {
    CartLine {
        id: line_id(n),
        quantity,
        group: "main".to_owned(),
        product_id: ProductId(Uuid::from_u128(n + 2_000)),
        product_version: 1,
        variant_id: variant(n),
        sku: format!("SKU-{n}"),
        title: format!("Thing {n}"),
        brand: None,
        category_ids: BTreeSet::new(),
        attributes: BTreeMap::new(),
        tax_class: None,
        weight_grams: Some(100),
        prices: sheet(code, amount),
        is_available: true,
    }
}

pub fn of_country(country: &str) -> Area {
    Area { country: Some(country.to_owned()), region: None, postal_prefix: None }
}

pub fn in_country(country: &str) -> Place {
    Place { country: country.to_owned(), ..Place::default() }
}

pub fn rate(class: &str, jurisdiction: &str, rate_ppm: u32) -> TaxRate {
    let title = format!("{jurisdiction} {rate_ppm}");
    TaxRate { class: class.to_owned(), jurisdiction: jurisdiction.to_owned(), title, rate_ppm }
}

pub fn zone(country: &str, mode: TaxMode, rates: Vec<TaxRate>) -> Versioned<TaxZone> {
    let value = TaxZone { areas: vec![of_country(country)], mode, rates, shipping_class: None };
    Versioned { version: 1, value }
}

pub fn post(code: &str, amount: i64) -> Versioned<ShippingMethod> {
    let tiers = vec![ShippingTier { from_value: 0, from_grams: 0, amount }];
    let value = ShippingMethod {
        title: "Post".to_owned(),
        areas: vec![Area { country: None, region: None, postal_prefix: None }],
        prices: vec![ShippingPrice { currency: currency(code), tiers }],
        days_least: None,
        days_most: None,
        most_grams: None,
        is_pickup: false,
        position: 0,
    };
    Versioned { version: 1, value }
}

/// A shop in `DE` whose zone has its mode and rates, with shipping that costs nothing.
pub fn shop(code: &str, mode: TaxMode, rates: Vec<TaxRate>, lines: Vec<CartLine>) -> Facts {
    let policy = ShopPolicy {
        home: in_country("DE"),
        time_zone: "Europe/Berlin".to_owned(),
        prices: mode,
        foreign_prices: ForeignPrices::GrossFixed,
        payments: Vec::new(),
        payment_attempts: 5,
        late_payments: LatePayments::Refund,
        cart_days: 30,
        order_prefix: String::new(),
        cash_rounding: Vec::new(),
        least_order: Vec::new(),
    };
    Facts {
        now: at("2026-06-01T12:00:00Z"),
        currency: currency(code),
        channel: None,
        policy: Versioned { version: 1, value: policy },
        shipping: Some(in_country("DE")),
        billing: None,
        customer: None,
        payment: None,
        codes: BTreeMap::new(),
        lines,
        groups: BTreeMap::from([(
            "main".to_owned(),
            ShipmentGroup { location: None, method: Some("post".to_owned()) },
        )]),
        tax_zones: BTreeMap::from([("home".to_owned(), zone("DE", mode, rates))]),
        shipping_methods: BTreeMap::from([("post".to_owned(), post(code, 0))]),
        promotions: BTreeMap::new(),
        gifts: BTreeMap::new(),
    }
}

pub fn amounts(code: &str, amount: i64) -> Vec<Money> {
    vec![Money { amount, currency: currency(code) }]
}

pub fn percent(rate_ppm: u32) -> Effect {
    Effect::Percentage { rate_ppm, most: Vec::new() }
}

/// A promotion of items, for everybody, at any time.
pub fn promotion(effect: Effect) -> PromotionContent {
    PromotionContent {
        title: "Offer".to_owned(),
        needs_code: false,
        from: None,
        until: None,
        conditions: schemas::events::promotions::Conditions::default(),
        target: Selection::default(),
        level: Level::Item,
        effect,
        stacking: Stacking::default(),
        limits: schemas::events::promotions::UsageLimits::default(),
        is_given_back: false,
    }
}

pub fn off_order(effect: Effect) -> PromotionContent {
    PromotionContent { level: Level::Order, ..promotion(effect) }
}

pub fn on(variants: &[u128]) -> Selection {
    Selection { variants: variants.iter().copied().map(variant).collect(), ..Selection::default() }
}

impl Facts {
    /// With a promotion of that name.
    pub fn with(mut self, name: &str, content: PromotionContent) -> Self {
        let title = if content.title == "Offer" { name.to_owned() } else { content.title.clone() };
        let promotion = Versioned { version: 1, value: PromotionContent { title, ..content } };
        self.promotions
            .insert(name.to_owned(), PromotionFact { promotion, exhausted: crate::facts::Exhausted::default() });
        self
    }

    /// With a code that was entered for a promotion.
    pub fn with_code(mut self, code: &str, promotion: &str) -> Self {
        self.codes.insert(code.to_owned(), CodeFact::Promotion(promotion.to_owned()));
        self
    }

    /// With so many pieces of a variant that may be a gift.
    pub fn with_gift(mut self, n: u128, code: &str, list: i64, available: u32) -> Self {
        let gift = GiftFact {
            product_id: ProductId(Uuid::from_u128(n + 2_000)),
            product_version: 1,
            sku: format!("GIFT-{n}"),
            title: format!("Gift {n}"),
            tax_class: None,
            weight_grams: None,
            prices: sheet(code, list),
            available,
            group: None,
        };
        self.gifts.insert(variant(n), gift);
        self
    }

    /// Priced, with sums that are exact.
    pub fn priced(&self) -> Quote {
        let quote = price(self).expect("a quote");
        super::sums::is_consistent(&quote);
        quote
    }
}

pub fn discounts(quote: &Quote) -> Vec<(&str, i64)> {
    quote.discounts.iter().map(|discount| (discount.promotion.as_str(), discount.amount)).collect()
}

pub fn codes(quote: &Quote) -> Vec<crate::NoticeCode> {
    quote.notices.iter().map(|notice| notice.code).collect()
}
