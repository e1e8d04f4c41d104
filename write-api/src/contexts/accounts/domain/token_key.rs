//! A key that a shop signs access tokens with.

use crate::domain::{Aggregate, Refusal};
use schemas::{
    events::{
        AccountsEvent,
        accounts::{TokenKeyAdded, TokenKeyRevoked},
    },
    problem::{Code, ProblemType},
};
use serde::{Deserialize, Serialize};

/// A key, as far as it is public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenKey {
    /// What it was added with.
    #[serde(flatten)]
    pub added: TokenKeyAdded,
    /// Whether its tokens are none any more.
    pub is_revoked: bool,
}

/// What can be done to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKeyCommand {
    /// Adds it.
    Add(TokenKeyAdded),
    /// Makes its tokens none.
    Revoke,
}

/// Why a key stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is none.
    #[error("there is no such key")]
    Missing,
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        Code::NotFound.into()
    }
}

impl Aggregate for TokenKey {
    const NAME: &'static str = "token_key";
    type Command = TokenKeyCommand;
    type Event = AccountsEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: TokenKeyCommand) -> Result<Vec<AccountsEvent>, Rejection> {
        match (state, command) {
            (None, TokenKeyCommand::Add(added)) => Ok(vec![AccountsEvent::TokenKeyAdded(added)]),
            (Some(_), TokenKeyCommand::Add(_)) => Ok(vec![]),
            (Some(key), TokenKeyCommand::Revoke) if key.is_revoked => Ok(vec![]),
            (Some(key), TokenKeyCommand::Revoke) => {
                Ok(vec![AccountsEvent::TokenKeyRevoked(TokenKeyRevoked { key_id: key.added.key_id })])
            }
            (None, TokenKeyCommand::Revoke) => Err(Rejection::Missing),
        }
    }

    fn apply(state: Option<Self>, event: &AccountsEvent) -> Option<Self> {
        match event {
            AccountsEvent::TokenKeyAdded(added) => Some(Self { added: added.clone(), is_revoked: false }),
            AccountsEvent::TokenKeyRevoked(_) => state.map(|key| Self { is_revoked: true, ..key }),
            _ => state,
        }
    }
}
