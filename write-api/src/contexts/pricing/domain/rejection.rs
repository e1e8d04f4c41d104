//! Why prices stay as they are.

use crate::domain::Refusal;
use schemas::problem::{Code, ProblemType};

/// A rule of pricing forbids the command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is nothing to remove.
    #[error("this variant has no price")]
    NoPrice,
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        match self {
            Self::NoPrice => Code::NotFound.into(),
        }
    }
}
