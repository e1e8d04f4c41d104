//! A session: from signing in to signing out, with as many refresh tokens in between as it takes.

use crate::domain::{Aggregate, Refusal};
use schemas::{
    Timestamp, Uuid,
    events::{
        AccountsEvent,
        accounts::{SecondFactorShown, SessionEnd, SessionEnded, SessionStarted},
    },
    problem::{Code, ProblemType},
};
use serde::{Deserialize, Serialize};

/// A session, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub session_id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// Why it ended before, if it did.
    pub ended: Option<SessionEnd>,
    /// Whether it ended before its time.
    pub is_over: bool,
    /// Whether a one-time code was shown in it besides the password.
    #[serde(default)]
    pub is_strong: bool,
}

/// What can be done to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionCommand {
    /// Begins it.
    Start(SessionStarted),
    /// A one-time code was shown.
    ShowSecondFactor,
    /// Ends it before its time.
    End(SessionEnd),
}

/// Why a session stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is none.
    #[error("there is no such session")]
    Missing,
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        Code::NotFound.into()
    }
}

impl Aggregate for Session {
    const NAME: &'static str = "session";
    type Command = SessionCommand;
    type Event = AccountsEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: SessionCommand) -> Result<Vec<AccountsEvent>, Rejection> {
        match (state, command) {
            (None, SessionCommand::Start(started)) => Ok(vec![AccountsEvent::SessionStarted(started)]),
            (Some(_), SessionCommand::Start(_)) => Ok(vec![]),
            (Some(session), SessionCommand::End(_)) if session.is_over => Ok(vec![]),
            (Some(session), SessionCommand::End(reason)) => {
                let (session_id, user_id) = (session.session_id, session.user_id);
                Ok(vec![AccountsEvent::SessionEnded(SessionEnded { session_id, user_id, reason })])
            }
            (Some(session), SessionCommand::ShowSecondFactor) if session.is_strong || session.is_over => Ok(vec![]),
            (Some(session), SessionCommand::ShowSecondFactor) => {
                let (session_id, user_id) = (session.session_id, session.user_id);
                Ok(vec![AccountsEvent::SecondFactorShown(SecondFactorShown { session_id, user_id })])
            }
            (None, SessionCommand::End(_) | SessionCommand::ShowSecondFactor) => Err(Rejection::Missing),
        }
    }

    fn apply(state: Option<Self>, event: &AccountsEvent) -> Option<Self> {
        if let AccountsEvent::SessionStarted(started) = event {
            let SessionStarted { session_id, user_id, expires_at, second_factor: is_strong } = started.clone();
            return Some(Self { session_id, user_id, expires_at, ended: None, is_over: false, is_strong });
        }
        if let AccountsEvent::SecondFactorShown(_) = event {
            return state.map(|session| Self { is_strong: true, ..session });
        }
        let AccountsEvent::SessionEnded(SessionEnded { reason, .. }) = event else { return state };
        state.map(|session| Self { ended: Some(*reason), is_over: true, ..session })
    }
}
