//! Why a definition stays as it is.

use crate::domain::Refusal;
use schemas::problem::{Code, ProblemType};

/// A rule of merchandising forbids the command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is nothing to remove.
    #[error("nothing is defined under this name")]
    Missing,
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        match self {
            Self::Missing => Code::NotFound.into(),
        }
    }
}
