//! Why stock stays as it is.

use super::HoldState;
use crate::domain::Refusal;
use schemas::problem::{Code, ProblemType};

/// A rule of the inventory forbids the command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// More would be taken than is there.
    #[error("only {on_hand} pieces are at `{location}`; {wanted} can't be taken away")]
    Insufficient {
        /// Where.
        location: String,
        /// Pieces that are there and may be taken.
        on_hand: i64,
        /// Pieces that should go.
        wanted: i64,
    },
    /// More would be promised than can be sold.
    #[error("only {available} pieces are available; {wanted} can't be reserved")]
    TooFew {
        /// Pieces that can be sold.
        available: i64,
        /// Pieces that were asked for.
        wanted: i64,
    },
    /// A location would hold more than can be counted.
    #[error("`{location}` would hold more than {most} pieces")]
    TooMany {
        /// Where.
        location: String,
        /// The most it may hold.
        most: i64,
    },
    /// Nothing of it was ever in stock.
    #[error("nothing of this variant was ever in stock")]
    NoStock,
    /// There is no such reservation.
    #[error("there is no reservation with this id")]
    NoReservation,
    /// It has ended.
    #[error("the reservation has ended: it is {}", .0.as_str())]
    Ended(HoldState),
    /// Its id was used for something else.
    #[error("the reservation exists with another quantity or for another checkout; use a new id")]
    Taken,
    /// It would be over at once.
    #[error("the time is over already")]
    OverAlready,
    /// Only what belongs to an order leaves.
    #[error("only what was committed is dispatched")]
    NotCommitted,
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        match self {
            Self::Insufficient { .. } | Self::TooFew { .. } => Code::InsufficientStock.into(),
            Self::TooMany { .. } | Self::OverAlready => Code::ValidationFailed.into(),
            Self::NoStock | Self::NoReservation => Code::NotFound.into(),
            Self::Ended(HoldState::Expired) => Code::ReservationExpired.into(),
            Self::Ended(_) => Code::ReservationEnded.into(),
            Self::Taken => Code::ReservationExists.into(),
            Self::NotCommitted => Code::StatusConflict.into(),
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::TooFew { .. } | Self::TooMany { .. } => Some("/quantity".to_owned()),
            Self::OverAlready => Some("/expires_at".to_owned()),
            Self::Insufficient { .. }
            | Self::NoStock
            | Self::NoReservation
            | Self::Ended(_)
            | Self::Taken
            | Self::NotCommitted => None,
        }
    }
}
