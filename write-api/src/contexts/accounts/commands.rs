//! What shoppers do with their accounts, a file for each.

pub(super) mod email;
pub(super) mod guests;
pub(super) mod identities;
pub(super) mod identity_providers;
pub(super) mod invitation;
pub(super) mod letters;
pub(super) mod me;
pub(super) mod oidc;
pub(super) mod password;
pub(super) mod refused;
pub(super) mod roles;
pub(super) mod second_factor;
pub(super) mod sessions;
pub(super) mod sign_in;
pub(super) mod sign_up;
pub(super) mod signing;
pub(super) mod verify;

use super::{
    domain::{Session, SessionCommand, User, UserCommand},
    port::{Parts, keyring::PersonKey},
    table,
};
use crate::{
    domain::Aggregate,
    pipeline::{Batch, Done, Error, Expected, Failure, Rejection, Scope, Stored},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use schemas::{
    Uuid,
    events::{AccountsEvent, accounts::SessionEnd},
    problem::{Code, FieldError, Problem},
};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

/// A text of 256 bits of chance, and by what it is known again.
pub(super) fn secret(scope: &Scope, prefix: &str) -> (String, String) {
    let text = format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(scope.clock.secret()));
    let digest = digest(&text);
    (text, digest)
}

/// SHA-256 of a secret, in hexadecimal digits. With so much chance in it, nothing slower is needed.
pub(super) fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// A user who was loaded and locked.
pub(super) struct Loaded {
    id: Uuid,
    users: Batch<User>,
}

impl Loaded {
    /// Somebody, whether there is such a person or not.
    pub(super) async fn of(conn: &mut PgConnection, scope: &Scope, id: Uuid) -> Result<Self, Failure> {
        Ok(Self { id, users: User::load(conn, scope, &[id]).await? })
    }

    /// What is known of them.
    pub(super) fn user(&self) -> Result<&User, Rejection> {
        self.users.state(self.id).filter(|user| !user.is_erased).ok_or_else(missing)
    }

    /// Decides a command.
    pub(super) fn decide(&mut self, expected: Expected, command: UserCommand) -> Result<Done, Rejection> {
        let id = self.id;
        self.users.carry_out(id, expected, |users| Ok(User::decide(users.state(id), command)?))
    }

    /// Writes what was decided.
    pub(super) async fn write(self, conn: &mut PgConnection, scope: &Scope) -> Result<(), Failure> {
        let is_proved = self.users.state(self.id).is_some_and(|user| user.is_verified && !user.is_erased);
        let is_new =
            |event: &AccountsEvent| matches!(event, AccountsEvent::EmailVerified(_) | AccountsEvent::EmailChanged(_));
        if is_proved && self.users.events().any(is_new) {
            table::former::prove(&mut *conn, scope.tenant, self.id, scope.now).await?;
        }
        self.users.append(conn, scope).await
    }
}

/// Ends the sessions of somebody that are open, but for one.
pub(super) async fn end_sessions(
    conn: &mut PgConnection,
    scope: &Scope,
    user: Uuid,
    reason: SessionEnd,
    but: Option<Uuid>,
) -> Result<(), Error> {
    let mut open = table::open_sessions(&mut *conn, scope.tenant, user).await?;
    open.retain(|session| Some(*session) != but);
    let mut sessions = Session::load(conn, scope, &open).await?;
    for id in open {
        sessions.carry_out(id, Expected::Any, |sessions| {
            Ok(Session::decide(sessions.state(id), SessionCommand::End(reason))?)
        })?;
    }
    Ok(sessions.append(conn, scope).await?)
}

/// The key of somebody who is there.
pub(super) async fn person_key(
    conn: &mut PgConnection,
    scope: &Scope,
    parts: &Parts,
    user: Uuid,
) -> Result<PersonKey, Error> {
    let found = parts.keyring.person(conn, scope.tenant, user).await?;
    Ok(found.ok_or_else(missing)?)
}

/// There is no such account, or none any more.
pub(super) fn missing() -> Rejection {
    Rejection::not_found("there is no such account")
}

/// A password that was sent is not the one of the account, or there is no such account: which of both is not told.
pub(super) fn sign_in_failed() -> Rejection {
    Rejection::of(Problem::new(Code::SignInFailed).detail("no account here has this address and this password"))
}

/// A code that was sent is none, or none any more.
pub(super) fn code_not_valid() -> Rejection {
    Rejection::invalid(vec![FieldError::new("/code", "the code is not valid, or not any more; ask for another one")])
}
