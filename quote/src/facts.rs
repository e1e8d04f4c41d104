//! What a price is made of: everything is looked up before, in one currency and at one moment.

mod cart;
mod groups;
mod locations;

pub use groups::has_a_choice;
pub use locations::Levels;
pub use schemas::quote::GROUP;

use schemas::{
    Timestamp,
    events::{
        catalog::AttributeValue,
        pricing::PriceEntry,
        promotions::{Effect, PromotionContent},
        settings::{PaymentMethod, ShippingMethod, ShopPolicy, TaxZone},
    },
    good::Good,
    ids::{CategoryId, LineId, ProductId, VariantId},
    money::Currency,
    place::Place,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A fact with the version of the aggregate that it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versioned<T> {
    /// The version.
    pub version: u64,
    /// The fact.
    pub value: T,
}

/// Everything that a quote is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The moment that spans are compared with.
    pub now: Timestamp,
    /// The one currency of the cart.
    pub currency: Currency,
    /// The channel that is bought in, by its name.
    pub channel: Option<String>,
    /// What holds for the whole shop: its place, the tax mode of its prices and what they mean elsewhere.
    pub policy: Versioned<ShopPolicy>,
    /// Where the goods go, once that is known.
    pub shipping: Option<Place>,
    /// Where the invoice goes, once that is known.
    pub billing: Option<Place>,
    /// Who buys; none for a guest.
    pub customer: Option<Customer>,
    /// How it will be paid, once that is known. Only cash is rounded.
    pub payment: Option<PaymentMethod>,
    /// The codes that were entered, and what each of them is.
    pub codes: BTreeMap<String, CodeFact>,
    /// The lines of the cart, in any order.
    pub lines: Vec<CartLine>,
    /// The groups of shipment, by their names; each line names one.
    pub groups: BTreeMap<String, ShipmentGroup>,
    /// All tax zones of the shop, by their names.
    pub tax_zones: BTreeMap<String, Versioned<TaxZone>>,
    /// The methods of shipping, by their names; at least those that the groups chose.
    pub shipping_methods: BTreeMap<String, Versioned<ShippingMethod>>,
    /// The promotions that may count, by their names: those that need no code, and those of the codes.
    pub promotions: BTreeMap<String, PromotionFact>,
    /// What promotions may add as a gift; at least the variants that they name.
    pub gifts: BTreeMap<VariantId, GiftFact>,
}

/// A customer who has signed in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The groups of customers that they are in, by their names.
    pub groups: BTreeSet<String>,
    /// Whether they have ordered nothing before.
    pub is_first_order: bool,
}

/// What a code that was entered is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeFact {
    /// A code of that promotion, by its name.
    Promotion(String),
    /// None of the shop's.
    Unknown,
    /// One that can't be used, with the reason as the shopper reads it.
    Unusable(String),
}

impl CodeFact {
    /// One that can't be used before its time.
    #[must_use]
    pub fn not_yet() -> Self {
        Self::Unusable("the code counts later".to_owned())
    }

    /// One whose time is over.
    #[must_use]
    pub fn ended() -> Self {
        Self::Unusable("the code counts no longer".to_owned())
    }

    /// One that is used up.
    #[must_use]
    pub fn exhausted() -> Self {
        Self::Unusable("the code was used as often as may be".to_owned())
    }

    /// One that staff have taken out of use.
    #[must_use]
    pub fn disabled() -> Self {
        Self::Unusable("the code can't be used any more".to_owned())
    }
}

/// A promotion, and how far it is used up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionFact {
    /// What it is.
    pub promotion: Versioned<PromotionContent>,
    /// How far it is used up.
    pub exhausted: Exhausted,
}

/// The variants that promotions may add to the cart.
pub fn gifts<'a>(promotions: impl IntoIterator<Item = &'a PromotionContent>) -> BTreeSet<VariantId> {
    let gift = |content: &PromotionContent| match &content.effect {
        Effect::Gift { variant, .. } => Some(*variant),
        Effect::Percentage { .. }
        | Effect::Amount { .. }
        | Effect::FixedPrice { .. }
        | Effect::BuyGet { .. }
        | Effect::Shipping { .. }
        | Effect::Tiers { .. } => None,
    };
    promotions.into_iter().filter_map(gift).collect()
}

/// Where a promotion was used as often as it may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exhausted {
    /// By all orders together.
    pub in_all: bool,
    /// By this customer.
    pub by_customer: bool,
    /// By these codes.
    pub codes: BTreeSet<String>,
}

/// Some pieces of a variant in the cart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CartLine {
    /// Its id, unique in the cart.
    pub id: LineId,
    /// Pieces, from 1 to [`MOST_PIECES`].
    pub quantity: u32,
    /// The group of shipment, by its name.
    pub group: String,
    /// The product.
    pub product_id: ProductId,
    /// The product's version in the catalog.
    pub product_version: u64,
    /// The variant.
    pub variant_id: VariantId,
    /// Its stock keeping unit.
    pub sku: String,
    /// How the shopper reads it.
    pub title: String,
    /// The maker.
    pub brand: Option<String>,
    /// Every category it stands in or below.
    pub category_ids: BTreeSet<CategoryId>,
    /// The attributes of the product and of the variant.
    pub attributes: BTreeMap<String, AttributeValue>,
    /// The class of goods that its taxes follow from; `standard`, if absent.
    pub tax_class: Option<String>,
    /// What a piece weighs, in grams; nothing, if that is not known.
    pub weight_grams: Option<i64>,
    /// Its price sheet; none if it has none.
    pub prices: Option<Versioned<Vec<PriceEntry>>>,
    /// Whether it can be had. If not, the line is refused.
    pub is_available: bool,
}

impl CartLine {
    /// A line of something that the catalog knows. It can be had if it is published and `is_in_stock`.
    #[must_use]
    pub fn of(
        (id, quantity): (LineId, u32),
        group: &str,
        good: &Good,
        prices: Option<Versioned<Vec<PriceEntry>>>,
        is_in_stock: bool,
    ) -> Self {
        Self {
            id,
            quantity,
            group: group.to_owned(),
            product_id: good.product_id,
            product_version: good.version,
            variant_id: good.variant_id,
            sku: good.sku.clone(),
            title: good.title.clone(),
            brand: good.brand.clone(),
            category_ids: good.category_ids.clone(),
            attributes: good.attributes.clone(),
            tax_class: good.tax_class.clone(),
            weight_grams: good.weight_grams,
            prices,
            is_available: good.is_published && is_in_stock,
        }
    }
}

/// The most pieces of a line.
pub const MOST_PIECES: u32 = 100_000;

/// Lines that are sent together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipmentGroup {
    /// The location they are sent from, by its name.
    pub location: Option<String>,
    /// The method that was chosen, by its name.
    pub method: Option<String>,
}

/// Something that a promotion may add to the cart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GiftFact {
    /// The product.
    pub product_id: ProductId,
    /// The product's version in the catalog.
    pub product_version: u64,
    /// Its stock keeping unit.
    pub sku: String,
    /// How the shopper reads it.
    pub title: String,
    /// The class of goods that its taxes follow from; `standard`, if absent.
    pub tax_class: Option<String>,
    /// What a piece weighs, in grams; nothing, if that is not known.
    pub weight_grams: Option<i64>,
    /// Its price sheet, which the list price is taken from.
    pub prices: Option<Versioned<Vec<PriceEntry>>>,
    /// How many pieces can be had.
    pub available: u32,
    /// The group of shipment that it is sent with, by its name; that of the first line, if absent.
    pub group: Option<String>,
}

impl GiftFact {
    /// A gift of something that the catalog knows, of which so many pieces can be had; none, if it is not published.
    #[must_use]
    pub fn of(good: &Good, prices: Option<Versioned<Vec<PriceEntry>>>, available: u32) -> Self {
        Self {
            product_id: good.product_id,
            product_version: good.version,
            sku: good.sku.clone(),
            title: good.title.clone(),
            tax_class: good.tax_class.clone(),
            weight_grams: good.weight_grams,
            prices,
            available: if good.is_published { available } else { 0 },
            group: None,
        }
    }
}
