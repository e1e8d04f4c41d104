//! Events of the pricing context: one price sheet per variant.

use crate::{
    Timestamp,
    ids::{ProductId, VariantId},
    money::Currency,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A price in one currency, in minor units, for a span of time.
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
}

impl PriceEntry {
    /// What a shopper pays, in minor units.
    #[must_use]
    pub fn amount(&self) -> i64 {
        self.sale_amount.unwrap_or(self.list_amount)
    }

    /// Whether it counts at that moment.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.valid_from.is_none_or(|from| from <= now) && self.valid_until.is_none_or(|until| now < until)
    }
}

/// The entry that counts for a currency at a moment: of those valid, the one that started last.
#[must_use]
pub fn effective_price<'a>(entries: &'a [PriceEntry], currency: &Currency, now: Timestamp) -> Option<&'a PriceEntry> {
    entries.iter().filter(|e| e.currency == *currency && e.is_valid_at(now)).max_by_key(|e| e.valid_from)
}

/// The next moment after `now` at which any entry starts or ends.
#[must_use]
pub fn next_price_change(entries: &[PriceEntry], now: Timestamp) -> Option<Timestamp> {
    entries.iter().flat_map(|e| [e.valid_from, e.valid_until]).flatten().filter(|at| *at > now).min()
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
