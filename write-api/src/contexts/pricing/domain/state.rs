//! What is known of a variant's prices.

use schemas::{
    events::{PricingEvent, pricing::PriceEntry},
    ids::{ProductId, VariantId},
};
use serde::{Deserialize, Serialize};

/// The prices of one variant; a sheet that was removed has no entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceSheet {
    /// The product the variant belongs to.
    pub product_id: ProductId,
    /// The variant; the aggregate id.
    pub variant_id: VariantId,
    /// By currency and start.
    pub entries: Vec<PriceEntry>,
}

impl PriceSheet {
    /// The state after an event.
    #[must_use]
    pub fn after(event: &PricingEvent) -> Self {
        match event.clone() {
            PricingEvent::Changed(event) => {
                Self { product_id: event.product_id, variant_id: event.variant_id, entries: event.entries }
            }
            PricingEvent::Removed(event) => {
                Self { product_id: event.product_id, variant_id: event.variant_id, entries: Vec::new() }
            }
        }
    }
}
