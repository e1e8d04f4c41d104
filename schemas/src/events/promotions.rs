//! What makes carts cheaper.

mod happened;

pub use happened::*;

use crate::{
    Timestamp,
    ids::{CategoryId, ProductId, VariantId},
    money::Money,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Some of the goods of a shop. What is named in several fields has to be met in each; a field without names is met by all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// One of these products.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<ProductId>,
    /// One of these variants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<VariantId>,
    /// In one of these categories or below it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<CategoryId>,
    /// Of one of these brands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub brands: Vec<String>,
    /// Of each attribute one of the values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Vec<String>>,
    /// None of these products.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_products: Vec<ProductId>,
    /// In none of these categories, nor below one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_categories: Vec<CategoryId>,
}

/// What has to hold for a promotion to count. All of it has to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// The goods that count for value and quantity; all, if absent.
    #[serde(default)]
    pub goods: Selection,
    /// Their value at least, by currency, measured after discounts of items where the promotion is off the order. A currency
    /// without a line is not served, unless the list is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub least_value: Vec<Money>,
    /// Their pieces at least.
    #[serde(default)]
    pub least_quantity: u32,
    /// The customer is in one of these groups; anybody, if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The cart is of one of these channels; any, if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// The customer has ordered nothing before. Nobody is known of a guest, so that it never holds for one.
    #[serde(default)]
    pub first_order: bool,
}

/// What is taken off from some value or quantity on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscountTier {
    /// From that many pieces on.
    #[serde(default)]
    pub from_quantity: u32,
    /// From that value on, by currency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from_value: Vec<Money>,
    /// Parts per million: 150,000 are 15 %.
    pub rate_ppm: u32,
}

/// What a promotion does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// A part of the value of the target.
    Percentage {
        /// Parts per million: 150,000 are 15 %.
        rate_ppm: u32,
        /// The most that it takes off, by currency; no bound, if empty.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        most: Vec<Money>,
    },
    /// A sum off the target, in the tax mode of the shop's prices. Without a line for the currency of the cart it does not count.
    Amount {
        /// The sums, by currency.
        amounts: Vec<Money>,
    },
    /// Each piece of the target costs that much, and never more than before.
    FixedPrice {
        /// The prices, by currency.
        prices: Vec<Money>,
    },
    /// Of every `buy + get` pieces of the target the `get` cheapest are cheaper.
    BuyGet {
        /// Pieces at the full price, at least 1.
        buy: u32,
        /// Pieces that are cheaper, at least 1.
        get: u32,
        /// What is taken off those, in parts per million; 1,000,000 makes them free.
        rate_ppm: u32,
        /// How many times at most; no bound, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        most_times: Option<u32>,
    },
    /// A piece that costs nothing is added, if it can be had.
    Gift {
        /// The variant.
        variant: VariantId,
        /// Pieces, at least 1.
        quantity: u32,
    },
    /// Shipping costs nothing, or less.
    Shipping {
        /// What is taken off, by currency; all of it, if empty.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        amounts: Vec<Money>,
    },
    /// A part of the value of the target, more the more it is: the last tier that is reached counts.
    Tiers {
        /// The tiers, in the order of what they ask for.
        tiers: Vec<DiscountTier>,
    },
}

/// What a promotion is off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Single lines: done before those of the order.
    #[default]
    Item,
    /// What is left of the goods after promotions of items.
    Order,
}

/// How a promotion goes with others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Stacking {
    /// Low ones are done first; of the same by name.
    #[serde(default)]
    pub priority: i32,
    /// Whether it counts alone. Of several the one that takes off the most counts.
    #[serde(default)]
    pub is_exclusive: bool,
    /// Of those with the same name the one that takes off the most counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// How often a promotion may be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UsageLimits {
    /// By all orders together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_all: Option<u32>,
    /// By one customer. A guest is known by the address of the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_customer: Option<u32>,
    /// By one code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_code: Option<u32>,
}

/// What a promotion is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromotionContent {
    /// How the shopper reads it, such as `15 % off lamps`.
    pub title: String,
    /// Whether it counts only for carts with one of its codes.
    #[serde(default)]
    pub needs_code: bool,
    /// From when it counts, inclusive; at once, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// Until when it counts, exclusive; for ever, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// What has to hold.
    #[serde(default)]
    pub conditions: Conditions,
    /// The goods that get cheaper; all, if absent.
    #[serde(default)]
    pub target: Selection,
    /// What it is off.
    #[serde(default)]
    pub level: Level,
    /// What it does.
    pub effect: Effect,
    /// How it goes with others.
    #[serde(default)]
    pub stacking: Stacking,
    /// How often it may be used.
    #[serde(default)]
    pub limits: UsageLimits,
    /// Whether a use is given back when the order is cancelled after it was paid.
    #[serde(default)]
    pub is_given_back: bool,
}

impl UsageLimits {
    /// Whether there is none.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.in_all.is_none() && self.by_customer.is_none() && self.by_code.is_none()
    }
}

impl PromotionContent {
    /// Whether uses of it are counted: it is limited, or for a first order.
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        !self.limits.is_none() || self.conditions.first_order
    }

    /// Whether it has begun at a moment.
    #[must_use]
    pub fn has_begun(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now)
    }

    /// Whether it is over at a moment.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}
