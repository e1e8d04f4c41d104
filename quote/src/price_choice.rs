//! Which entry of a price sheet counts: the first half of step 3.

use crate::facts::{Facts, Versioned};
use schemas::events::pricing::{Asked, PriceEntry, chosen_price};
use std::collections::BTreeSet;

/// The entry for whoever buys so many pieces, of those that are valid at the moment in the cart's currency. Nothing is
/// converted.
pub(crate) fn chosen<'a>(
    facts: &Facts,
    sheet: Option<&'a Versioned<Vec<PriceEntry>>>,
    pieces: u64,
) -> Option<&'a PriceEntry> {
    let none = BTreeSet::new();
    let asked = Asked {
        currency: facts.currency,
        channel: facts.channel.as_deref(),
        groups: facts.customer.as_ref().map_or(&none, |customer| &customer.groups),
        quantity: pieces,
        now: facts.now,
    };
    chosen_price(&sheet?.value, &asked)
}
