//! Pieces that are kept for somebody. Each ends once: it is dispatched, released, or expires.

use super::location::Location;
use schemas::{Timestamp, Uuid};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where pieces of a reservation are in their life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldState {
    /// Kept for a checkout, for a time.
    Held,
    /// They belong to an order.
    Committed,
    /// Given up; this is an end.
    Released,
    /// Not taken in time; this is an end.
    Expired,
    /// They have left; this is an end.
    Dispatched,
}

impl HoldState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Held, Self::Committed, Self::Released, Self::Expired, Self::Dispatched];

    /// As tables and answers have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Committed => "committed",
            Self::Released => "released",
            Self::Expired => "expired",
            Self::Dispatched => "dispatched",
        }
    }

    /// Whether it is over.
    #[must_use]
    pub const fn is_end(self) -> bool {
        match self {
            Self::Held | Self::Committed => false,
            Self::Released | Self::Expired | Self::Dispatched => true,
        }
    }
}

/// Pieces of a reservation at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// How many.
    pub quantity: i64,
    /// Where they are in their life.
    pub state: HoldState,
}

impl Part {
    /// Pieces that were just held.
    #[must_use]
    pub const fn held(quantity: i64) -> Self {
        Self { quantity, state: HoldState::Held }
    }
}

/// A reservation of one variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The checkout that it is for, if it is for one.
    pub checkout_id: Option<Uuid>,
    /// When it ends by itself, unless it is pinned.
    pub expires_at: Timestamp,
    /// Whether it does not end by itself.
    pub pinned: bool,
    /// Its pieces by place.
    pub parts: BTreeMap<String, Part>,
}

impl Reservation {
    /// Its pieces over all places.
    #[must_use]
    pub fn quantity(&self) -> i64 {
        self.parts.values().fold(0, |sum, part| part.quantity.saturating_add(sum))
    }

    /// Where it is in its life, as a whole: where parts differ, what goes on counts before what has ended.
    #[must_use]
    pub fn state(&self) -> HoldState {
        HoldState::ALL
            .into_iter()
            .find(|state| self.parts.values().any(|part| part.state == *state))
            .unwrap_or(HoldState::Released)
    }

    /// Whether its time has run out.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        !self.pinned && self.expires_at <= now
    }
}

/// What is to be kept, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The checkout that it is for, if it is for one.
    pub checkout_id: Option<Uuid>,
    /// Pieces, above zero.
    pub quantity: i64,
    /// The only place where they may lie; none for any.
    pub location: Option<Location>,
    /// The places to look at first, in this order; others follow by name.
    pub preferred: Vec<Location>,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// What can be done to a reservation of one variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReservationCommand {
    /// Pieces are kept.
    Reserve(Hold),
    /// It does not end by itself from now on.
    Pin,
    /// It ends by itself at that time.
    Unpin(Timestamp),
    /// Its pieces belong to an order.
    Commit,
    /// Its pieces are given up.
    Release,
    /// Its time is over.
    Expire,
    /// Its pieces have left, those at one place or all.
    Dispatch(Option<Location>),
}
