//! What can't be reckoned with.

use crate::facts::MOST_PIECES;
use schemas::ids::LineId;

/// Why nothing could be priced. None of these comes from a cart that the contexts let through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Two lines have the same id.
    #[error("two lines have the id {line}")]
    DuplicateLine {
        /// The id.
        line: LineId,
    },
    /// A line has no pieces, or too many.
    #[error("line {line} has {quantity} pieces; from 1 to {most} are possible", most = MOST_PIECES)]
    Quantity {
        /// The line.
        line: LineId,
        /// Its pieces.
        quantity: u32,
    },
    /// A price is below zero.
    #[error("the price of line {line} is below zero")]
    NegativePrice {
        /// The line.
        line: LineId,
    },
    /// An amount does not fit into 64 bits.
    #[error("amounts are too large from line {line} on")]
    Overflow {
        /// The line at which it happened.
        line: LineId,
    },
    /// A method of shipping has a price below zero, or one that does not fit into 64 bits together with the goods.
    #[error("the price of shipping method `{method}` is below zero or too large")]
    ShippingAmount {
        /// The method, by its name.
        method: String,
    },
}
