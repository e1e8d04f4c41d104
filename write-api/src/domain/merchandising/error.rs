//! Why a definition stays as it is.

/// A rule of merchandising forbids the command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is nothing to remove.
    #[error("nothing is defined under this name")]
    Missing,
}
