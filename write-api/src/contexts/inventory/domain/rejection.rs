//! Why stock stays as it is.

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
        /// Pieces that are there.
        on_hand: i64,
        /// Pieces that should go.
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
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        match self {
            Self::Insufficient { .. } => Code::InsufficientStock.into(),
            Self::TooMany { .. } => Code::ValidationFailed.into(),
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::Insufficient { .. } => None,
            Self::TooMany { .. } => Some("/quantity".to_owned()),
        }
    }
}
