//! The words in which the projector reports, and which query-api and the operators' process read back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A word that none of the states has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no {what}")]
pub struct UnknownWord {
    what: &'static str,
    word: String,
}

macro_rules! states {
    ($(#[$doc:meta])* $name:ident, $what:literal: $($(#[$state_doc:meta])* $state:ident = $word:literal,)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[derive(utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$state_doc])* $state,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$state,)+];

            /// As it is stored and sent.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$state => $word,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                let unknown = || UnknownWord { what: $what, word: word.to_owned() };
                Self::ALL.iter().copied().find(|state| state.as_str() == word).ok_or_else(unknown)
            }
        }

        impl TryFrom<String> for $name {
            type Error = UnknownWord;

            fn try_from(word: String) -> Result<Self, UnknownWord> {
                word.parse()
            }
        }
    };
}

states! {
    /// Where a lag goes, the worst last.
    LagTrend, "trend of a lag":
    /// Nothing waits.
    Idle = "idle",
    /// As much comes as is applied.
    Steady = "steady",
    /// It shrinks.
    Draining = "draining",
    /// It grows.
    Growing = "growing",
    /// Nobody reports any more.
    Stalled = "stalled",
}

states! {
    /// What a lag means, by the rules of Burrow (LinkedIn's monitor of Kafka consumers), the worst last.
    LagState, "state of a projection":
    /// Nothing waits, or what waits is being worked off.
    Ok = "ok",
    /// It works, but falls behind.
    Warning = "warning",
    /// It reports, but does not get on.
    Stall = "stall",
    /// It does not report any more, though something waits, or its process is gone.
    Stop = "stop",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_read_back_and_no_other() {
        for state in LagTrend::ALL {
            assert_eq!(state.as_str().parse(), Ok(*state));
            assert_eq!(serde_json::to_value(state).ok(), Some(state.as_str().into()));
        }
        let error = "lost".parse::<LagTrend>().expect_err("no state");
        assert_eq!(error.to_string(), "`lost` is no trend of a lag");
    }

    #[test]
    fn the_worst_is_the_greatest() {
        assert!(LagTrend::Idle < LagTrend::Draining && LagTrend::Growing < LagTrend::Stalled);
        assert!(LagState::Ok < LagState::Warning && LagState::Stall < LagState::Stop);
    }
}
