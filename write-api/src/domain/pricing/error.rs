//! Why prices stay as they are.

/// A rule of pricing forbids the command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is nothing to remove.
    #[error("this variant has no price")]
    NoPrice,
}
