//! What a price command leads to.

use super::{PriceCommand, PriceSheet, Rejection};
use crate::domain::Aggregate;
use schemas::events::{
    PricingEvent,
    pricing::{PricesChanged, PricesRemoved},
};

impl Aggregate for PriceSheet {
    const NAME: &'static str = "price_sheet";
    type Command = PriceCommand;
    type Event = PricingEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: PriceCommand) -> Result<Vec<PricingEvent>, Rejection> {
        match command {
            PriceCommand::Set { entries, .. } if state.is_some_and(|sheet| sheet.entries == entries.as_slice()) => {
                Ok(vec![])
            }
            PriceCommand::Set { product_id, variant_id, entries } => {
                let entries = entries.into_vec();
                Ok(vec![PricingEvent::Changed(PricesChanged { product_id, variant_id, entries })])
            }
            PriceCommand::Remove => {
                let sheet = state.filter(|sheet| !sheet.entries.is_empty()).ok_or(Rejection::NoPrice)?;
                let (product_id, variant_id) = (sheet.product_id, sheet.variant_id);
                Ok(vec![PricingEvent::Removed(PricesRemoved { product_id, variant_id })])
            }
        }
    }

    fn apply(_: Option<Self>, event: &PricingEvent) -> Option<Self> {
        Some(Self::after(event))
    }

    fn is_removed(&self) -> bool {
        self.entries.is_empty()
    }
}
