//! The states of dead letters: events that a projection could not apply.
//!
//! Projections and operators move them, the read database and the APIs carry them as text.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Where a dead letter is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeadLetterState {
    /// It could not be applied, and waits for an operator.
    Parked,
    /// It waits behind an older dead letter of its key.
    Queued,
    /// The projection is about to apply it again.
    Retrying,
    /// It was applied again, with success.
    Retried,
    /// An operator has decided that it is never applied.
    Discarded,
}

impl DeadLetterState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Parked, Self::Queued, Self::Retrying, Self::Retried, Self::Discarded];
    /// The states in which it is not settled yet.
    pub const OPEN: [Self; 3] = [Self::Parked, Self::Queued, Self::Retrying];

    /// As in the read database and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parked => "parked",
            Self::Queued => "queued",
            Self::Retrying => "retrying",
            Self::Retried => "retried",
            Self::Discarded => "discarded",
        }
    }

    /// Whether it is not settled yet.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Parked | Self::Queued | Self::Retrying => true,
            Self::Retried | Self::Discarded => false,
        }
    }
}

impl fmt::Display for DeadLetterState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is not one of [`DeadLetterState::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a state of dead letters: parked, queued, retrying, retried or discarded is expected")]
pub struct UnknownDeadLetterState(pub String);

impl FromStr for DeadLetterState {
    type Err = UnknownDeadLetterState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| UnknownDeadLetterState(text.to_owned()))
    }
}

impl TryFrom<String> for DeadLetterState {
    type Error = UnknownDeadLetterState;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_state_is_read_back_and_no_other() {
        for state in DeadLetterState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
            assert_eq!(serde_json::to_value(state).expect("JSON"), state.as_str());
            assert_eq!(state.is_open(), DeadLetterState::OPEN.contains(&state), "{state}");
        }
        for unknown in ["", "Parked", "lost"] {
            assert_eq!(unknown.parse::<DeadLetterState>(), Err(UnknownDeadLetterState(unknown.to_owned())));
        }
    }
}
