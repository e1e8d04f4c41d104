//! Retired inventory payloads, kept so that history stays readable. Never edited.

use super::StockReceived;
use crate::ids::{ProductId, VariantId};
use serde::{Deserialize, Serialize};

/// `souk.inventory.stock_item.received.v0`: from before there were locations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockReceivedV0 {
    /// The product the variant belongs to.
    pub product_id: ProductId,
    /// The variant.
    pub variant_id: VariantId,
    /// Pieces that arrived.
    pub quantity: i64,
    /// Pieces on hand afterwards.
    pub on_hand: i64,
}

impl From<StockReceivedV0> for StockReceived {
    /// All stock stood in one place then, which is called `main` since.
    fn from(old: StockReceivedV0) -> Self {
        Self {
            product_id: old.product_id,
            variant_id: old.variant_id,
            location: "main".to_owned(),
            quantity: old.quantity,
            on_hand: old.on_hand,
            reserved: None,
            committed: None,
        }
    }
}
