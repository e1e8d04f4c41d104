//! What can happen to a dead letter.

use serde::Serialize;

/// What happened to a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryKind {
    /// It could not be applied.
    Failed,
    /// An operator has asked for another try.
    Retry,
    /// An operator has replaced its payload.
    Edit,
    /// An operator has discarded it.
    Discard,
}

impl HistoryKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Failed, Self::Retry, Self::Edit, Self::Discard];

    /// As in the read database and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Retry => "retry",
            Self::Edit => "edit",
            Self::Discard => "discard",
        }
    }
}

/// The text is not one of [`HistoryKind::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is nothing that happens to a dead letter")]
pub struct UnknownHistoryKind(pub String);

impl TryFrom<String> for HistoryKind {
    type Error = UnknownHistoryKind;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownHistoryKind(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_kind_is_read_back_and_no_other() {
        for kind in HistoryKind::ALL {
            assert_eq!(HistoryKind::try_from(kind.as_str().to_owned()), Ok(kind));
        }
        assert_eq!(HistoryKind::try_from("moved".to_owned()), Err(UnknownHistoryKind("moved".to_owned())));
    }
}
