//! Events of the pricing context: one price sheet per variant.

mod choice;

use crate::{
    Timestamp,
    ids::{ProductId, VariantId},
    money::Currency,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use choice::{Asked, chosen_price, price_tiers};

/// A price in one currency, in minor units, for a span of time: for everybody, unless it names a channel or a group of
/// customers, and of any number of pieces, unless it says from how many on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
pub struct PriceEntry {
    /// ISO 4217 code.
    pub currency: Currency,
    /// The list price in minor units.
    pub list_amount: i64,
    /// The lower price it is sold at, in minor units, if it is on sale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sale_amount: Option<i64>,
    /// From when it counts, inclusive; always, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub valid_from: Option<Timestamp>,
    /// Until when it counts, exclusive; for ever, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub valid_until: Option<Timestamp>,
    /// The channel it counts in, by its name; in all, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The group of customers it is for, by its name; for everybody, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// From how many pieces of the variant in a cart on it counts.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub min_quantity: u32,
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_one(quantity: &u32) -> bool {
    *quantity == 1
}

impl PriceEntry {
    /// A list price that always counts: for everybody, of any number of pieces.
    #[must_use]
    pub const fn always(currency: Currency, list_amount: i64) -> Self {
        Self {
            currency,
            list_amount,
            sale_amount: None,
            valid_from: None,
            valid_until: None,
            channel: None,
            group: None,
            min_quantity: 1,
        }
    }

    /// What a shopper pays, in minor units.
    #[must_use]
    pub fn amount(&self) -> i64 {
        self.sale_amount.unwrap_or(self.list_amount)
    }

    /// Whether it names no channel and no group of customers.
    #[must_use]
    pub const fn is_for_everybody(&self) -> bool {
        self.channel.is_none() && self.group.is_none()
    }

    /// Whether it counts at that moment.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.valid_from.is_none_or(|from| from <= now) && self.valid_until.is_none_or(|until| now < until)
    }
}

/// What any shopper sees of one piece at a moment: of the entries without a channel, a group or a least number of pieces
/// that are valid, the one that started last.
#[must_use]
pub fn effective_price<'a>(entries: &'a [PriceEntry], currency: &Currency, now: Timestamp) -> Option<&'a PriceEntry> {
    let seen = |e: &&PriceEntry| e.is_for_everybody() && e.min_quantity <= 1;
    let valid = |e: &&PriceEntry| e.currency == *currency && e.is_valid_at(now);
    entries.iter().filter(seen).filter(valid).max_by_key(|e| e.valid_from)
}

/// The next moment after `now` at which an entry that is for everybody starts or ends.
#[must_use]
pub fn next_price_change(entries: &[PriceEntry], now: Timestamp) -> Option<Timestamp> {
    let entries = entries.iter().filter(|e| e.is_for_everybody());
    entries.flat_map(|e| [e.valid_from, e.valid_until]).flatten().filter(|at| *at > now).min()
}

/// A variant's price sheet was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PricesChanged {
    /// The product the variant belongs to; the partition key.
    pub product_id: ProductId,
    /// The variant; also the aggregate id.
    pub variant_id: VariantId,
    /// The whole new sheet.
    pub entries: Vec<PriceEntry>,
}

/// A variant has no price any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PricesRemoved {
    /// The product the variant belongs to; the partition key.
    pub product_id: ProductId,
    /// The variant; also the aggregate id.
    pub variant_id: VariantId,
}

super::events! {
    /// What happens to prices.
    PricingEvent of Pricing, partitioned by "product" = |event| event.product_id().uuid(); {
        /// A price sheet was replaced.
        Changed(PricesChanged) = "souk.pricing.price_sheet.changed.v1",
        /// A price sheet was removed.
        Removed(PricesRemoved) = "souk.pricing.price_sheet.removed.v1",
    }
}

impl PricingEvent {
    /// The product it is about; the partition key.
    #[must_use]
    pub const fn product_id(&self) -> ProductId {
        match self {
            Self::Changed(event) => event.product_id,
            Self::Removed(event) => event.product_id,
        }
    }
}
