//! Events of the inventory context: one stock item per variant, with a level per location.

use crate::ids::{ProductId, VariantId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub mod v0;

/// Why a level was corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentReason {
    /// A count found another number.
    Count,
    /// Broken goods were written off.
    Damaged,
    /// Goods are missing.
    Lost,
    /// Goods turned up again.
    Found,
    /// A customer sent goods back.
    Returned,
    /// None of these; the note says what.
    Other,
}

/// Goods arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockReceived {
    /// The product the variant belongs to; the partition key.
    pub product_id: ProductId,
    /// The variant; also the aggregate id.
    pub variant_id: VariantId,
    /// The place, such as `main`.
    pub location: String,
    /// Pieces that arrived, above zero.
    pub quantity: i64,
    /// Pieces on hand at that place afterwards.
    pub on_hand: i64,
}

/// A level was corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockAdjusted {
    /// The product the variant belongs to; the partition key.
    pub product_id: ProductId,
    /// The variant; also the aggregate id.
    pub variant_id: VariantId,
    /// The place, such as `main`.
    pub location: String,
    /// Pieces added (above zero) or taken away (below zero).
    pub delta: i64,
    /// Pieces on hand at that place afterwards.
    pub on_hand: i64,
    /// Why.
    pub reason: AdjustmentReason,
    /// In the words of who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

super::events! {
    /// What happens to stock.
    InventoryEvent of Inventory, partitioned by "product" = |event| event.product_id().uuid(); {
        /// Goods arrived.
        Received(StockReceived) = "souk.inventory.stock_item.received.v1",
        /// A level was corrected.
        Adjusted(StockAdjusted) = "souk.inventory.stock_item.adjusted.v1",
    }
}

impl InventoryEvent {
    /// The product it is about; the partition key.
    #[must_use]
    pub const fn product_id(&self) -> ProductId {
        match self {
            Self::Received(event) => event.product_id,
            Self::Adjusted(event) => event.product_id,
        }
    }

    /// The place and the pieces on hand there afterwards.
    #[must_use]
    pub fn level(&self) -> (&str, i64) {
        match self {
            Self::Received(event) => (&event.location, event.on_hand),
            Self::Adjusted(event) => (&event.location, event.on_hand),
        }
    }
}
