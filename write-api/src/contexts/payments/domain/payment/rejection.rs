//! Why a payment stays as it is.

use super::Status;
use crate::domain::Refusal;
use schemas::problem::{Code, ProblemType};

/// A rule of payments forbids the command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is none.
    #[error("the shop has no such payment")]
    Missing,
    /// It was created before, and is another.
    #[error("the payment was created before, for another order, with another method or another amount")]
    Exists,
    /// A sum is none.
    #[error("1 to {most} minor units are allowed")]
    Amount {
        /// The most.
        most: i64,
    },
    /// Another currency than the payment's.
    #[error("the payment is in {expected}")]
    Currency {
        /// The payment's.
        expected: String,
    },
    /// What is asked for belongs to another method of payment.
    #[error("the method of this payment does not allow this")]
    Method,
    /// The number is not that of the current attempt or the next.
    #[error("the next attempt is number {next}")]
    Number {
        /// The next number.
        next: u32,
    },
    /// What came of the current attempt is not known yet, or it has not failed.
    #[error("attempt {number} has not failed; another one follows once it has")]
    Open {
        /// The current attempt.
        number: u32,
    },
    /// It is in a status that forbids it.
    #[error("the payment is {}", .status.as_str())]
    Status {
        /// How far it is.
        status: Status,
    },
    /// More than is held.
    #[error("{held} minor units are held; no more can be captured")]
    TooMuch {
        /// How much is held.
        held: i64,
    },
    /// The capture was made before, and is another.
    #[error("it was captured before, and another amount: {captured} minor units")]
    CapturedOther {
        /// How much.
        captured: i64,
    },
    /// There is no such transfer.
    #[error("the payment has no such transfer")]
    NoTransfer,
    /// The transfer was entered before, with other contents.
    #[error("a transfer with this reference was entered before, with another amount or another proof")]
    TransferExists,
    /// Who approves it has entered it.
    #[error("whoever entered a transfer can't approve it")]
    OwnTransfer,
    /// No cash was collected so.
    #[error("the payment has no such capture in cash")]
    NoCash,
    /// As many transfers as a payment may have.
    #[error("a payment has at most {most} transfers")]
    TooMany {
        /// The most.
        most: usize,
    },
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        match self {
            Self::Missing | Self::NoTransfer | Self::NoCash => Code::NotFound.into(),
            Self::Exists => ProblemType::conflict("payment_exists", "The payment was created before"),
            Self::Amount { .. } | Self::Currency { .. } => Code::ValidationFailed.into(),
            Self::Method => ProblemType::conflict("payment_method", "The method of payment does not allow this"),
            Self::Number { .. } | Self::Open { .. } => {
                ProblemType::conflict("payment_attempt", "There can be no such attempt now")
            }
            Self::Status { .. } => Code::StatusConflict.into(),
            Self::TooMuch { .. } => ProblemType::conflict("exceeds_authorized", "More than is held"),
            Self::CapturedOther { .. } => ProblemType::conflict("capture_exists", "It was captured before"),
            Self::TransferExists => ProblemType::conflict("transfer_exists", "The transfer was entered before"),
            Self::OwnTransfer => ProblemType::conflict("own_transfer", "Somebody else has to approve it"),
            Self::TooMany { .. } => ProblemType::conflict("too_many_transfers", "There are too many transfers"),
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::Amount { .. } | Self::TooMuch { .. } => Some("/amount".to_owned()),
            Self::Currency { .. } => Some("/currency".to_owned()),
            Self::Number { .. } => Some("/attempt".to_owned()),
            Self::Missing
            | Self::Exists
            | Self::Method
            | Self::Open { .. }
            | Self::Status { .. }
            | Self::CapturedOther { .. }
            | Self::NoTransfer
            | Self::TransferExists
            | Self::OwnTransfer
            | Self::NoCash
            | Self::TooMany { .. } => None,
        }
    }
}
