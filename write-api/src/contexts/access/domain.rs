//! A key: made once, and revoked.

use crate::domain::{Aggregate, Refusal, validation::Findings};
use schemas::{
    NaiveDate, Timestamp, Uuid,
    events::{
        AccessEvent,
        access::{KeyCreated, KeyKind, KeyRevoked, KeyUsed},
    },
    permission::Permission,
    problem::{Code, FieldError, ProblemType},
};
use serde::{Deserialize, Serialize};

/// A key, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// What it was made with.
    #[serde(flatten)]
    pub created: KeyCreated,
    /// Whether it is none any more.
    pub revoked: bool,
    /// The last day on which it was used, in UTC.
    #[serde(default)]
    pub last_used: Option<NaiveDate>,
}

/// A key that an owner asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub kind: KeyKind,
    /// Of a staff key: what it may do.
    pub permissions: Vec<String>,
    /// From when on it is none any more.
    pub expires_at: Option<Timestamp>,
}

/// What can be done to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyCommand {
    /// Makes it.
    Create(KeyCreated),
    /// Somebody has sent it, on this day.
    Use(NaiveDate),
    /// Makes it none.
    Revoke,
}

/// Why a key stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It was never made here.
    #[error("there is no such key")]
    Missing,
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        Code::NotFound.into()
    }
}

/// What is kept of the text of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traces {
    /// Its first characters.
    pub hint: String,
    /// SHA-256 of it, in hexadecimal digits.
    pub digest: String,
    /// Of a search key: what scoped keys are signed with, in hexadecimal digits.
    pub signing_key: Option<String>,
}

impl NewKey {
    /// The key that comes of it.
    ///
    /// # Errors
    /// What of it is not allowed.
    pub fn grant(self, id: Uuid, traces: Traces, now: Timestamp) -> Result<KeyCreated, Vec<FieldError>> {
        let mut findings = Findings::default();
        findings.line(|| "/name".to_owned(), &self.name, 100);
        permissions_are_known_and_of_staff(&mut findings, self.kind, &self.permissions);
        if self.expires_at.is_some_and(|at| at <= now) {
            findings.add("/expires_at", "a key expires in the future");
        }
        findings.done()?;
        let mut permissions = self.permissions;
        permissions.sort_unstable();
        permissions.dedup();
        Ok(KeyCreated {
            key_id: id,
            name: self.name,
            kind: self.kind,
            permissions,
            hint: traces.hint,
            digest: traces.digest,
            signing_key: traces.signing_key,
            expires_at: self.expires_at,
        })
    }
}

/// A staff key names what it may do; for the others that follows from their kind.
fn permissions_are_known_and_of_staff(findings: &mut Findings, kind: KeyKind, permissions: &[String]) {
    match kind {
        KeyKind::Staff if permissions.is_empty() => {
            findings.add("/permissions", "a staff key names at least one permission");
        }
        KeyKind::Staff => {}
        KeyKind::Search | KeyKind::Owner if permissions.is_empty() => {}
        KeyKind::Search | KeyKind::Owner => {
            findings.add("/permissions", format!("what a key of the kind {kind} may do follows from its kind"));
        }
    }
    for (index, name) in permissions.iter().enumerate() {
        if let Err(unknown) = name.parse::<Permission>() {
            findings.add(format!("/permissions/{index}"), unknown.to_string());
        }
    }
}

impl Aggregate for Key {
    const NAME: &'static str = "key";
    type Command = KeyCommand;
    type Event = AccessEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: KeyCommand) -> Result<Vec<AccessEvent>, Rejection> {
        match (state, command) {
            (None, KeyCommand::Create(created)) => Ok(vec![AccessEvent::KeyCreated(created)]),
            (Some(_), KeyCommand::Create(_)) => Ok(vec![]),
            (Some(key), KeyCommand::Revoke) if key.revoked => Ok(vec![]),
            (Some(key), KeyCommand::Revoke) => {
                Ok(vec![AccessEvent::KeyRevoked(KeyRevoked { key_id: key.created.key_id })])
            }
            (Some(key), KeyCommand::Use(day)) if key.revoked || key.last_used.is_some_and(|last| last >= day) => {
                Ok(vec![])
            }
            (Some(key), KeyCommand::Use(day)) => {
                Ok(vec![AccessEvent::KeyUsed(KeyUsed { key_id: key.created.key_id, day })])
            }
            (None, KeyCommand::Revoke | KeyCommand::Use(_)) => Err(Rejection::Missing),
        }
    }

    fn apply(state: Option<Self>, event: &AccessEvent) -> Option<Self> {
        match event {
            AccessEvent::KeyCreated(created) => {
                Some(Self { created: created.clone(), revoked: false, last_used: None })
            }
            AccessEvent::KeyUsed(used) => state.map(|key| Self { last_used: Some(used.day), ..key }),
            AccessEvent::KeyRevoked(_) => state.map(|key| Self { revoked: true, ..key }),
        }
    }
}
