//! What is known of a variant's stock.

use schemas::{
    events::InventoryEvent,
    ids::{ProductId, VariantId},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The pieces of one variant, by location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockItem {
    /// The product the variant belongs to.
    pub product_id: ProductId,
    /// The variant; the aggregate id.
    pub variant_id: VariantId,
    /// Pieces on hand by location; they stand in a table of their own.
    #[serde(skip)]
    pub levels: BTreeMap<String, i64>,
}

impl StockItem {
    /// The state after an event.
    #[must_use]
    pub fn after(state: Option<Self>, event: &InventoryEvent) -> Self {
        let variant_id = match event {
            InventoryEvent::Received(event) => event.variant_id,
            InventoryEvent::Adjusted(event) => event.variant_id,
        };
        let mut item =
            state.unwrap_or_else(|| Self { product_id: event.product_id(), variant_id, levels: BTreeMap::new() });
        let (location, on_hand) = event.level();
        item.levels.insert(location.to_owned(), on_hand);
        item
    }
}
