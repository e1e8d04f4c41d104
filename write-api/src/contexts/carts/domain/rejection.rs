//! Why a cart stays as it is.

use super::limits::{MOST_COUPONS, MOST_LINES, MOST_MERGED, MOST_PIECES};
use crate::domain::Refusal;
use schemas::{
    Uuid,
    money::Currency,
    problem::{Code, ProblemType},
};

/// A rule of carts forbids the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Nobody has begun it.
    #[error("there is no such cart")]
    Missing,
    /// It has no such line.
    #[error("the cart has no such line")]
    NoLine,
    /// A checkout holds it.
    #[error("the checkout {0} holds the cart; it changes again once that has ended without an order")]
    Locked(Uuid),
    /// It was ordered, or has ended.
    #[error("the cart was ordered or has ended; begin another one")]
    Closed,
    /// Both together are too many.
    #[error("the line has {has} pieces; with {more} more it would have more than {MOST_PIECES}")]
    TooManyPieces {
        /// Pieces that are there.
        has: u32,
        /// Pieces to add.
        more: u32,
    },
    /// There is no place for another line.
    #[error("a cart has at most {MOST_LINES} lines")]
    TooManyLines,
    /// There is no place for another code.
    #[error("a cart has at most {MOST_COUPONS} codes; take one away first")]
    TooManyCoupons,
    /// Many carts were put in already.
    #[error("at most {MOST_MERGED} carts are put into one")]
    TooManyMerged,
    /// The other is paid in something else, and nothing is converted.
    #[error("the cart is in {own}, and the other one in {other}")]
    OtherCurrency {
        /// Of this cart.
        own: Currency,
        /// Of the other.
        other: Currency,
    },
    /// There is nothing to order.
    #[error("there is nothing in the cart")]
    Empty,
    /// The checkout that wants to end it does not hold it.
    #[error("the checkout {0} does not hold the cart")]
    NotLocked(Uuid),
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        match self {
            Self::Missing | Self::NoLine => Code::NotFound.into(),
            Self::Locked(_) => Code::CartLocked.into(),
            Self::Closed => Code::CartClosed.into(),
            Self::TooManyPieces { .. } => Code::ValidationFailed.into(),
            Self::TooManyLines | Self::TooManyCoupons | Self::TooManyMerged => Code::CartFull.into(),
            Self::OtherCurrency { .. } => Code::CartCurrency.into(),
            Self::Empty => Code::CartEmpty.into(),
            Self::NotLocked(_) => Code::CartNotLocked.into(),
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::TooManyPieces { .. } => Some("/quantity".to_owned()),
            Self::Missing
            | Self::NoLine
            | Self::Locked(_)
            | Self::Closed
            | Self::TooManyLines
            | Self::TooManyCoupons
            | Self::TooManyMerged
            | Self::OtherCurrency { .. }
            | Self::Empty
            | Self::NotLocked(_) => None,
        }
    }
}
