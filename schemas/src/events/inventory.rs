//! Events of the inventory context: one stock item per variant, with counters per location.

use crate::ids::{ProductId, VariantId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub mod reservations;
pub mod v0;

pub use reservations::{
    ReservationMoved, ReservationPinned, ReservationUnpinned, ReservedPart, ShortReservation, StockReserved, StockShort,
};

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
    /// Pieces that are held there for checkouts; as before, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<i64>,
    /// Pieces that are committed to orders there; as before, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed: Option<i64>,
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
    /// Pieces that are held there for checkouts; as before, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<i64>,
    /// Pieces that are committed to orders there; as before, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed: Option<i64>,
    /// Why.
    pub reason: AdjustmentReason,
    /// In the words of who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What is counted at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceCount {
    /// The place, such as `main`.
    pub location: String,
    /// Pieces on hand.
    pub on_hand: i64,
    /// Pieces that are held for checkouts.
    pub reserved: i64,
    /// Pieces that are committed to orders.
    pub committed: i64,
}

/// Goods went from one place to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockTransferred {
    /// The product the variant belongs to; the partition key.
    pub product_id: ProductId,
    /// The variant; also the aggregate id.
    pub variant_id: VariantId,
    /// Pieces, above zero.
    pub quantity: i64,
    /// The place they came from, as it is afterwards.
    pub from: PlaceCount,
    /// The place they went to, as it is afterwards.
    pub to: PlaceCount,
    /// In the words of who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A customer's goods are back in stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockReturned {
    /// The product the variant belongs to; the partition key.
    pub product_id: ProductId,
    /// The variant; also the aggregate id.
    pub variant_id: VariantId,
    /// The return; with the variant it is used once, for ever.
    pub return_id: Uuid,
    /// Pieces, above zero.
    pub quantity: i64,
    /// The place, as it is afterwards.
    pub place: PlaceCount,
}

/// How many pieces may be promised beyond those that are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackordersSet {
    /// The product the variant belongs to; the partition key.
    pub product_id: ProductId,
    /// The variant; also the aggregate id.
    pub variant_id: VariantId,
    /// The place at which they are promised, as it is.
    pub place: PlaceCount,
    /// Pieces; 0 for none.
    pub limit: i64,
}

super::events! {
    /// What happens to stock.
    InventoryEvent of Inventory, partitioned by "product" = |event| event.product_id().uuid(); {
        /// Goods arrived.
        Received(StockReceived) = "souk.inventory.stock_item.received.v1",
        /// A level was corrected.
        Adjusted(StockAdjusted) = "souk.inventory.stock_item.adjusted.v1",
        /// Goods went from one place to another.
        Transferred(StockTransferred) = "souk.inventory.stock_item.transferred.v1",
        /// A customer's goods are back.
        Returned(StockReturned) = "souk.inventory.stock_item.returned.v1",
        /// How many pieces may be promised beyond those that are there.
        BackordersSet(BackordersSet) = "souk.inventory.stock_item.backorders_set.v1",
        /// Pieces are held.
        Reserved(StockReserved) = "souk.inventory.stock_item.reserved.v1",
        /// A reservation does not end by itself.
        Pinned(ReservationPinned) = "souk.inventory.stock_item.reservation_pinned.v1",
        /// A reservation ends by itself again.
        Unpinned(ReservationUnpinned) = "souk.inventory.stock_item.reservation_unpinned.v1",
        /// Held pieces belong to an order.
        Committed(ReservationMoved) = "souk.inventory.stock_item.reservation_committed.v1",
        /// Held or committed pieces were given up.
        Released(ReservationMoved) = "souk.inventory.stock_item.reservation_released.v1",
        /// Held pieces were not taken in time.
        Expired(ReservationMoved) = "souk.inventory.stock_item.reservation_expired.v1",
        /// Committed pieces have left.
        Dispatched(ReservationMoved) = "souk.inventory.stock_item.dispatched.v1",
        /// A place has fewer pieces than are promised there.
        Short(StockShort) = "souk.inventory.stock_item.short.v1",
    }
}

/// What is counted at a place after an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count<'a> {
    /// The place.
    pub location: &'a str,
    /// Pieces on hand.
    pub on_hand: i64,
    /// Pieces that are held for checkouts; as before, if an earlier release told nothing of them.
    pub reserved: Option<i64>,
    /// Pieces that are committed to orders; likewise.
    pub committed: Option<i64>,
}

impl<'a> From<&'a PlaceCount> for Count<'a> {
    fn from(place: &'a PlaceCount) -> Self {
        let (reserved, committed) = (Some(place.reserved), Some(place.committed));
        Self { location: &place.location, on_hand: place.on_hand, reserved, committed }
    }
}

impl<'a> From<&'a ReservedPart> for Count<'a> {
    fn from(part: &'a ReservedPart) -> Self {
        let (reserved, committed) = (Some(part.reserved), Some(part.committed));
        Self { location: &part.location, on_hand: part.on_hand, reserved, committed }
    }
}

/// What of a variant's stock an event may change for those who see no more than what can be sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// What lies where.
    Levels,
    /// How many pieces can be sold over all places, before and after.
    Available(i64, i64),
    /// Nothing.
    Nothing,
}

impl InventoryEvent {
    /// The product it is about; the partition key.
    #[must_use]
    pub const fn product_id(&self) -> ProductId {
        match self {
            Self::Received(event) => event.product_id,
            Self::Adjusted(event) => event.product_id,
            Self::Transferred(event) => event.product_id,
            Self::Returned(event) => event.product_id,
            Self::BackordersSet(event) => event.product_id,
            Self::Reserved(event) => event.product_id,
            Self::Pinned(event) => event.product_id,
            Self::Unpinned(event) => event.product_id,
            Self::Committed(event) | Self::Released(event) | Self::Expired(event) | Self::Dispatched(event) => {
                event.product_id
            }
            Self::Short(event) => event.product_id,
        }
    }

    /// The variant it is about; the aggregate.
    #[must_use]
    pub const fn variant_id(&self) -> VariantId {
        match self {
            Self::Received(event) => event.variant_id,
            Self::Adjusted(event) => event.variant_id,
            Self::Transferred(event) => event.variant_id,
            Self::Returned(event) => event.variant_id,
            Self::BackordersSet(event) => event.variant_id,
            Self::Reserved(event) => event.variant_id,
            Self::Pinned(event) => event.variant_id,
            Self::Unpinned(event) => event.variant_id,
            Self::Committed(event) | Self::Released(event) | Self::Expired(event) | Self::Dispatched(event) => {
                event.variant_id
            }
            Self::Short(event) => event.variant_id,
        }
    }

    /// The places whose counters it tells, as they are afterwards.
    #[must_use]
    pub fn counts(&self) -> Vec<Count<'_>> {
        match self {
            Self::Received(StockReceived { location, on_hand, reserved, committed, .. })
            | Self::Adjusted(StockAdjusted { location, on_hand, reserved, committed, .. }) => {
                vec![Count { location, on_hand: *on_hand, reserved: *reserved, committed: *committed }]
            }
            Self::Transferred(event) => vec![Count::from(&event.from), Count::from(&event.to)],
            Self::Returned(StockReturned { place, .. }) | Self::BackordersSet(BackordersSet { place, .. }) => {
                vec![Count::from(place)]
            }
            Self::Reserved(event) => event.parts.iter().map(Count::from).collect(),
            Self::Committed(event) | Self::Released(event) | Self::Expired(event) | Self::Dispatched(event) => {
                event.parts.iter().map(Count::from).collect()
            }
            Self::Pinned(_) | Self::Unpinned(_) | Self::Short(_) => Vec::new(),
        }
    }

    /// What of it those may see who see no more than what can be sold.
    #[must_use]
    pub fn seen(&self) -> Seen {
        match self {
            Self::Received(_)
            | Self::Adjusted(_)
            | Self::Transferred(_)
            | Self::Returned(_)
            | Self::BackordersSet(_)
            | Self::Dispatched(_) => Seen::Levels,
            Self::Reserved(event) => {
                Seen::Available(event.available.saturating_add(reservations::pieces(&event.parts)), event.available)
            }
            Self::Released(event) | Self::Expired(event) => {
                Seen::Available(event.available.saturating_sub(event.quantity()), event.available)
            }
            Self::Pinned(_) | Self::Unpinned(_) | Self::Committed(_) | Self::Short(_) => Seen::Nothing,
        }
    }
}
