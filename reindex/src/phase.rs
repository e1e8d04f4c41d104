//! What a copy of an index, or a set of vectors, is doing.

use serde::Serialize;
use std::fmt;

/// What a copy of an index, or a set of vectors, is doing. The writers of the projector report it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Phase {
    /// It reads the catalog for the first time.
    Building,
    /// It is built, and behind the topic.
    CatchingUp,
    /// It is up to date.
    Live,
    /// An operator has paused it.
    Paused,
    /// It is held at an offset, to be verified.
    Held,
    /// It failed.
    Failed,
}

impl Phase {
    /// As in the `phase` column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::CatchingUp => "catching_up",
            Self::Live => "live",
            Self::Paused => "paused",
            Self::Held => "held",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
