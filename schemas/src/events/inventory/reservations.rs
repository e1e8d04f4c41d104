//! What happens to reservations. A reservation is known by its id and the variant; its pieces may lie at several places.

use crate::{
    Timestamp,
    ids::{ProductId, VariantId},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Pieces of a reservation at one place, and what is counted there afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReservedPart {
    /// The place, such as `main`.
    pub location: String,
    /// Pieces of the reservation there.
    pub quantity: i64,
    /// Pieces on hand there afterwards.
    pub on_hand: i64,
    /// Pieces that are held there for checkouts afterwards.
    pub reserved: i64,
    /// Pieces that are committed to orders there afterwards.
    pub committed: i64,
}

/// Pieces are held for a checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockReserved {
    /// The product the variant belongs to; the partition key.
    pub product_id: ProductId,
    /// The variant; also the aggregate id.
    pub variant_id: VariantId,
    /// The reservation; with the variant it is used once, for ever.
    pub reservation_id: Uuid,
    /// The checkout that it is for, if it is for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkout_id: Option<Uuid>,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Where the pieces lie.
    pub parts: Vec<ReservedPart>,
    /// Pieces of the variant that can be sold afterwards, over all places.
    pub available: i64,
}

/// A reservation does not end by itself for the time being: a payment is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReservationPinned {
    /// The product the variant belongs to; the partition key.
    pub product_id: ProductId,
    /// The variant; also the aggregate id.
    pub variant_id: VariantId,
    /// The reservation.
    pub reservation_id: Uuid,
}

/// A reservation ends by itself again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReservationUnpinned {
    /// The product the variant belongs to; the partition key.
    pub product_id: ProductId,
    /// The variant; also the aggregate id.
    pub variant_id: VariantId,
    /// The reservation.
    pub reservation_id: Uuid,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What became of pieces of a reservation. Each event that says so has these fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReservationMoved {
    /// The product the variant belongs to; the partition key.
    pub product_id: ProductId,
    /// The variant; also the aggregate id.
    pub variant_id: VariantId,
    /// The reservation.
    pub reservation_id: Uuid,
    /// The checkout that it is for, if it is for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkout_id: Option<Uuid>,
    /// The pieces that it is about.
    pub parts: Vec<ReservedPart>,
    /// Pieces of the variant that can be sold afterwards, over all places.
    pub available: i64,
}

impl ReservationMoved {
    /// The pieces that it is about, over all places.
    #[must_use]
    pub fn quantity(&self) -> i64 {
        pieces(&self.parts)
    }
}

/// Pieces over all places.
pub(super) fn pieces(parts: &[ReservedPart]) -> i64 {
    parts.iter().fold(0, |sum, part| part.quantity.saturating_add(sum))
}

/// A reservation for which pieces are missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShortReservation {
    /// The reservation.
    pub reservation_id: Uuid,
    /// The checkout that it is for, if it is for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkout_id: Option<Uuid>,
    /// Its pieces at the place.
    pub quantity: i64,
    /// Whether an order stands behind it already.
    pub is_committed: bool,
}

/// A place has fewer pieces than are held and committed there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockShort {
    /// The product the variant belongs to; the partition key.
    pub product_id: ProductId,
    /// The variant; also the aggregate id.
    pub variant_id: VariantId,
    /// The place.
    pub location: String,
    /// Pieces that are missing there.
    pub missing: i64,
    /// Reservations that together have at least the missing pieces: what is held before what is committed, the newest first.
    pub reservations: Vec<ShortReservation>,
    /// Whether there are more of them than are listed.
    pub has_more: bool,
}
