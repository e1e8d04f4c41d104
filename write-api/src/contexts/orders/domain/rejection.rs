//! Why an order stays as it is.

use crate::domain::Refusal;
use schemas::problem::{Code, ProblemType};

/// Why an order stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Rejection {
    /// There is none.
    #[error("there is no such order")]
    Missing,
    /// The checkout has another order, or this one with other contents.
    #[error("the order was made before, of something else")]
    Made,
    /// Another account has it.
    #[error("the order is of another account")]
    Anothers,
    /// Sums that no payment can have.
    #[error("what was paid and what went back are 0 or more, and no more goes back than has come")]
    Sums,
    /// It is cancelled.
    #[error("the order was cancelled")]
    Cancelled,
    /// Nothing is left to do about it.
    #[error("the order is closed")]
    Closed,
    /// It is not certain yet.
    #[error("the order is not confirmed")]
    Unconfirmed,
    /// Goods have left.
    #[error("goods have left already; let them be returned")]
    Shipped,
    /// Something is left to do about it.
    #[error("goods or money are still on their way")]
    Open,
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        match self {
            Self::Missing => Code::NotFound.into(),
            Self::Sums => Code::ValidationFailed.into(),
            Self::Anothers => ProblemType::conflict("order_claimed", "The order is of another account"),
            Self::Made => ProblemType::conflict("order_made", "The order was made before"),
            Self::Cancelled => ProblemType::conflict("order_cancelled", "The order was cancelled"),
            Self::Closed => ProblemType::conflict("order_closed", "The order is closed"),
            Self::Unconfirmed => ProblemType::conflict("order_unconfirmed", "The order is not confirmed"),
            Self::Shipped => ProblemType::conflict("order_shipped", "Goods have left already"),
            Self::Open => ProblemType::conflict("order_open", "Something is left to do about the order"),
        }
    }
}
