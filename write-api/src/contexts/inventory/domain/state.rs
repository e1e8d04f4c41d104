//! What is known of a variant's stock.

use super::reservation::{HoldState, Part, Reservation};
use schemas::{
    Timestamp, Uuid,
    events::{
        InventoryEvent,
        inventory::{Count, ReservedPart},
    },
    ids::{ProductId, VariantId},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is counted at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Level {
    /// Pieces that are there.
    pub on_hand: i64,
    /// Pieces that are held for checkouts.
    pub reserved: i64,
    /// Pieces that are committed to orders.
    pub committed: i64,
}

impl Level {
    /// Pieces that can be sold; below zero where pieces are missing.
    #[must_use]
    pub const fn available(self) -> i64 {
        self.on_hand.saturating_sub(self.reserved).saturating_sub(self.committed)
    }
}

/// Why pieces came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MovedBy {
    /// Goods arrived.
    Received,
    /// A level was corrected.
    Adjusted,
    /// They went from one place to another.
    Transferred,
    /// A customer's goods are back.
    Returned,
    /// They have left.
    Dispatched,
}

impl MovedBy {
    /// As the table has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Adjusted => "adjusted",
            Self::Transferred => "transferred",
            Self::Returned => "returned",
            Self::Dispatched => "dispatched",
        }
    }
}

/// Pieces that came to a place (above zero) or left it (below zero).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The place.
    pub location: String,
    /// Why.
    pub by: MovedBy,
    /// How many.
    pub pieces: i64,
    /// What it was for: a reservation or a return.
    pub reference: Option<Uuid>,
}

/// The stock of one variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockItem {
    /// The product the variant belongs to.
    pub product_id: ProductId,
    /// The variant; the aggregate id.
    pub variant_id: VariantId,
    /// Where pieces may be promised beyond those that are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backorder_location: Option<String>,
    /// How many.
    #[serde(default)]
    pub backorder_limit: i64,
    /// The counters by location; they stand in a table of their own.
    #[serde(skip)]
    pub levels: BTreeMap<String, Level>,
    /// The reservations that commands are about, and no others; they stand in a table of their own.
    #[serde(skip)]
    pub reservations: BTreeMap<Uuid, Reservation>,
    /// The returns that commands are about and that were taken back before.
    #[serde(skip)]
    pub returns: BTreeSet<Uuid>,
    /// What has moved since the state was loaded.
    #[serde(skip)]
    pub moved: Vec<Moved>,
}

impl StockItem {
    /// Of a variant of which nothing is known.
    #[must_use]
    pub fn new(product_id: ProductId, variant_id: VariantId) -> Self {
        Self {
            product_id,
            variant_id,
            backorder_location: None,
            backorder_limit: 0,
            levels: BTreeMap::new(),
            reservations: BTreeMap::new(),
            returns: BTreeSet::new(),
            moved: Vec::new(),
        }
    }

    /// The counters of a place.
    #[must_use]
    pub fn level(&self, location: &str) -> Level {
        self.levels.get(location).copied().unwrap_or_default()
    }

    /// Pieces that can be sold over all places.
    #[must_use]
    pub fn available(&self) -> i64 {
        self.levels.values().fold(0, |sum, level| level.available().saturating_add(sum))
    }

    /// The state after an event.
    #[must_use]
    pub fn after(state: Option<Self>, event: &InventoryEvent) -> Self {
        let mut item = state.unwrap_or_else(|| Self::new(event.product_id(), event.variant_id()));
        event.counts().iter().for_each(|count| item.count(count));
        match event {
            InventoryEvent::Received(event) => item.add(&event.location, MovedBy::Received, event.quantity, None),
            InventoryEvent::Adjusted(event) => item.add(&event.location, MovedBy::Adjusted, event.delta, None),
            InventoryEvent::Transferred(event) => {
                item.add(&event.from.location, MovedBy::Transferred, -event.quantity, None);
                item.add(&event.to.location, MovedBy::Transferred, event.quantity, None);
            }
            InventoryEvent::Returned(event) => {
                item.add(&event.place.location, MovedBy::Returned, event.quantity, Some(event.return_id));
                item.returns.insert(event.return_id);
            }
            InventoryEvent::BackordersSet(event) => {
                item.backorder_limit = event.limit;
                item.backorder_location = (event.limit > 0).then(|| event.place.location.clone());
            }
            InventoryEvent::Reserved(event) => {
                let part = |part: &ReservedPart| (part.location.clone(), Part::held(part.quantity));
                let reservation = Reservation {
                    checkout_id: event.checkout_id,
                    expires_at: event.expires_at,
                    pinned: false,
                    parts: event.parts.iter().map(part).collect(),
                };
                item.reservations.insert(event.reservation_id, reservation);
            }
            InventoryEvent::Pinned(event) => item.pin(event.reservation_id, true, None),
            InventoryEvent::Unpinned(event) => item.pin(event.reservation_id, false, Some(event.expires_at)),
            InventoryEvent::Committed(event) => {
                item.pass(event.reservation_id, &event.parts, HoldState::Committed);
            }
            InventoryEvent::Released(event) => item.pass(event.reservation_id, &event.parts, HoldState::Released),
            InventoryEvent::Expired(event) => item.pass(event.reservation_id, &event.parts, HoldState::Expired),
            InventoryEvent::Dispatched(event) => {
                item.pass(event.reservation_id, &event.parts, HoldState::Dispatched);
                for part in &event.parts {
                    item.add(&part.location, MovedBy::Dispatched, -part.quantity, Some(event.reservation_id));
                }
            }
            InventoryEvent::Short(_) => {}
        }
        item
    }

    fn count(&mut self, count: &Count<'_>) {
        let level = self.levels.entry(count.location.to_owned()).or_default();
        level.on_hand = count.on_hand;
        level.reserved = count.reserved.unwrap_or(level.reserved);
        level.committed = count.committed.unwrap_or(level.committed);
    }

    fn add(&mut self, location: &str, by: MovedBy, pieces: i64, reference: Option<Uuid>) {
        self.moved.push(Moved { location: location.to_owned(), by, pieces, reference });
    }

    fn pin(&mut self, id: Uuid, pinned: bool, expires_at: Option<Timestamp>) {
        if let Some(reservation) = self.reservations.get_mut(&id) {
            reservation.pinned = pinned;
            reservation.expires_at = expires_at.unwrap_or(reservation.expires_at);
        }
    }

    /// Parts of a reservation are in another state.
    fn pass(&mut self, id: Uuid, parts: &[ReservedPart], state: HoldState) {
        let Some(reservation) = self.reservations.get_mut(&id) else { return };
        for part in parts {
            if let Some(known) = reservation.parts.get_mut(&part.location) {
                known.state = state;
            }
        }
    }
}
