//! What is known of the stock of one variant.

use schemas::{
    events::inventory::{Count, InventoryEvent, Seen},
    product_page::Availability,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is counted at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Level {
    /// Pieces that are there.
    pub on_hand: i64,
    /// Those of them that are held for checkouts.
    #[serde(default)]
    pub reserved: i64,
    /// Those of them that are committed to orders.
    #[serde(default)]
    pub committed: i64,
}

impl Level {
    /// As an event tells it, which may tell nothing of what is held and committed.
    #[must_use]
    pub fn counted(self, count: &Count<'_>) -> Self {
        Self {
            on_hand: count.on_hand,
            reserved: count.reserved.unwrap_or(self.reserved),
            committed: count.committed.unwrap_or(self.committed),
        }
    }

    /// Pieces that can be sold.
    #[must_use]
    pub const fn available(self) -> i64 {
        self.on_hand.saturating_sub(self.reserved).saturating_sub(self.committed)
    }
}

/// The stock of one variant, as far as products are composed from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct StockPart {
    levels: BTreeMap<String, Level>,
    /// The version of the last event that shoppers could see something of; none for that of the stock item.
    seen_at: Option<u64>,
}

/// As it is stored. While nothing is held or committed it is as earlier releases have it.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    Counted { levels: BTreeMap<String, Level>, seen_at: u64 },
    OnHand(BTreeMap<String, i64>),
}

impl From<Stored> for StockPart {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Counted { levels, seen_at } => Self { levels, seen_at: Some(seen_at) },
            Stored::OnHand(levels) => {
                let level = |on_hand| Level { on_hand, ..Level::default() };
                Self {
                    levels: levels.into_iter().map(|(place, on_hand)| (place, level(on_hand))).collect(),
                    seen_at: None,
                }
            }
        }
    }
}

impl From<StockPart> for Stored {
    fn from(part: StockPart) -> Self {
        match part.seen_at {
            Some(seen_at) => Self::Counted { levels: part.levels, seen_at },
            None => Self::OnHand(part.on_hand_by_place()),
        }
    }
}

impl StockPart {
    /// After an event of this version; the version before it is the one below.
    pub fn apply(&mut self, event: &InventoryEvent, version: u64) {
        for count in event.counts() {
            let level = self.levels.entry(count.location.to_owned()).or_default();
            *level = level.counted(&count);
        }
        let is_seen = is_seen(event);
        self.seen_at = match self.seen_at {
            _ if is_seen && self.levels.values().all(|level| (level.reserved, level.committed) == (0, 0)) => None,
            _ if is_seen => Some(version),
            None => Some(version.saturating_sub(1)),
            known => known,
        };
    }

    /// Pieces on hand over all places.
    #[must_use]
    pub fn on_hand(&self) -> i64 {
        self.levels.values().map(|level| level.on_hand).sum()
    }

    /// The same by place.
    #[must_use]
    pub fn on_hand_by_place(&self) -> BTreeMap<String, i64> {
        self.levels.iter().map(|(place, level)| (place.clone(), level.on_hand)).collect()
    }

    /// What can be sold, where that does not follow from what is on hand.
    #[must_use]
    pub fn availability(&self) -> Option<Availability> {
        let available = self.levels.values().fold(0_i64, |sum, level| sum.saturating_add(level.available()));
        let availability = Availability::of(available);
        (availability != Availability::of(self.on_hand())).then_some(availability)
    }

    /// The version of the last event that shoppers could see something of, where the stock item is at this one.
    #[must_use]
    pub fn seen_at(&self, version: u64) -> u64 {
        self.seen_at.unwrap_or(version)
    }
}

/// Whether shoppers can see something of an event: what lies where, or another availability.
#[must_use]
pub fn is_seen(event: &InventoryEvent) -> bool {
    match event.seen() {
        Seen::Levels => true,
        Seen::Available(before, after) => Availability::of(before) != Availability::of(after),
        Seen::Nothing => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::{
        Timestamp, Uuid,
        events::inventory::{ReservedPart, StockReceived, StockReserved},
        ids::{ProductId, VariantId},
    };

    const PRODUCT: ProductId = ProductId(Uuid::nil());
    const VARIANT: VariantId = VariantId(Uuid::nil());

    fn received(on_hand: i64) -> InventoryEvent {
        let location = "main".to_owned();
        let (reserved, committed) = (None, None);
        InventoryEvent::Received(StockReceived {
            product_id: PRODUCT,
            variant_id: VARIANT,
            location,
            quantity: 1,
            on_hand,
            reserved,
            committed,
        })
    }

    fn reserved(quantity: i64, on_hand: i64, reserved: i64) -> InventoryEvent {
        InventoryEvent::Reserved(StockReserved {
            product_id: PRODUCT,
            variant_id: VARIANT,
            reservation_id: Uuid::nil(),
            checkout_id: None,
            expires_at: Timestamp::UNIX_EPOCH,
            parts: vec![ReservedPart { location: "main".to_owned(), quantity, on_hand, reserved, committed: 0 }],
            available: on_hand - reserved,
        })
    }

    #[test]
    fn what_an_earlier_release_stored_is_read_and_written_alike_while_nothing_is_held() {
        let mut part: StockPart = serde_json::from_str(r#"{"main":3,"seen_at":4}"#).expect("readable");
        assert_eq!((part.on_hand(), part.seen_at(9)), (7, 9));
        part.apply(&received(5), 10);
        assert_eq!(serde_json::to_string(&part).expect("JSON"), r#"{"main":5,"seen_at":4}"#);
        part.apply(&reserved(1, 5, 1), 11);
        let again: StockPart = serde_json::from_str(&serde_json::to_string(&part).expect("JSON")).expect("readable");
        assert_eq!((again.on_hand(), &again), (9, &part));
    }

    #[test]
    fn the_version_that_is_told_is_of_the_last_event_that_can_be_seen() {
        let mut part = StockPart::default();
        part.apply(&received(100), 1);
        for version in 2..=94 {
            let held = i64::try_from(version).expect("small") - 1;
            part.apply(&reserved(1, 100, held), version);
            assert_eq!((part.seen_at(version), part.availability()), (1, None), "{held} are held");
        }
        part.apply(&reserved(1, 100, 94), 95);
        assert_eq!((part.seen_at(95), part.availability()), (1, None));
        part.apply(&reserved(1, 100, 95), 96);
        assert_eq!((part.seen_at(96), part.availability()), (96, Some(Availability::of(5))));
        // An event of an earlier release tells nothing of what is held.
        part.apply(&received(101), 97);
        assert_eq!((part.seen_at(97), part.availability()), (97, None));
        part.apply(&reserved(6, 101, 101), 98);
        assert_eq!((part.seen_at(98), part.availability()), (98, Some(Availability::of(0))));
    }
}
