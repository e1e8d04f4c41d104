//! Why a checkout stays as it is.

use crate::domain::Refusal;
use schemas::problem::{Code, ProblemType};

/// Why a checkout stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Rejection {
    /// There is none.
    #[error("there is no such checkout")]
    Missing,
    /// The client has begun another one by that name.
    #[error("a checkout of another cart was begun with this client_request_id")]
    Started,
    /// It has become an order.
    #[error("the checkout has become an order; staff can cancel that")]
    Completed,
    /// No order has come of it.
    #[error("the checkout has ended without an order; begin another one")]
    Aborted,
    /// It waits for nothing that the shopper could do.
    #[error("the checkout does not wait for the shopper")]
    NotAwaiting,
    /// The shop takes no such payment.
    #[error("the shop does not take this payment; the methods that it takes stand in its settings")]
    Method,
    /// The shopper has tried too often.
    #[error("no attempt to pay is left")]
    Attempts,
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        match self {
            Self::Missing => Code::NotFound.into(),
            Self::Started => ProblemType::conflict("checkout_started", "Another checkout was begun by this id"),
            Self::Completed => ProblemType::conflict("checkout_completed", "The checkout has become an order"),
            Self::Aborted => ProblemType::conflict("checkout_aborted", "The checkout has ended without an order"),
            Self::NotAwaiting => {
                ProblemType::conflict("checkout_not_awaiting", "The checkout does not wait for the shopper")
            }
            Self::Method => Code::ValidationFailed.into(),
            Self::Attempts => ProblemType::conflict("payment_attempts_exhausted", "No attempt to pay is left"),
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::Method => Some("/payment_method".to_owned()),
            Self::Missing | Self::Started | Self::Completed | Self::Aborted | Self::NotAwaiting | Self::Attempts => {
                None
            }
        }
    }
}
