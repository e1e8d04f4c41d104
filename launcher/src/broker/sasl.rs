//! Asking a client for user and password: SASL/PLAIN (RFC 4616) in the frames of Kafka's protocol (KIP-43, KIP-152).

use super::{
    Broker,
    connection::{ConnectionError, Request},
};
use crate::{LaunchError, stack::BROKER_USER};
use bytes::BytesMut;
use kafka_protocol::{
    error::ResponseError,
    messages::{SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse},
    protocol::StrBytes,
};
use sha2::{Digest, Sha256};
use std::path::Path;

const MECHANISM: &str = "PLAIN";

/// The password, as its hash: comparing hashes tells nothing of it by the time it takes.
#[derive(Debug, Clone)]
pub struct Password([u8; 32]);

impl Password {
    /// From a file; line ends after it don't count.
    ///
    /// # Errors
    /// If the file can't be read, or is empty.
    pub fn read(file: &Path) -> Result<Self, LaunchError> {
        let text = std::fs::read_to_string(file).map_err(LaunchError::folder(file))?;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(LaunchError::Other(format!("{} holds no password", file.display())));
        }
        Ok(Self::of(text.as_bytes()))
    }

    fn of(text: &[u8]) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// Whether a message of PLAIN proves that its sender knows user and password.
    fn is_proved_by(&self, message: &[u8]) -> bool {
        let mut parts = message.split(|byte| *byte == 0);
        let (on_behalf_of, user, password) = (parts.next(), parts.next(), parts.next());
        let is_user = user == Some(BROKER_USER.as_bytes())
            && on_behalf_of.is_some_and(|other| other.is_empty() || Some(other) == user);
        is_user && parts.next().is_none() && password.is_some_and(|sent| Self::of(sent).0 == self.0)
    }
}

/// How far a connection is with proving who its client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// Nothing was said yet.
    Unknown,
    /// The mechanism is agreed upon.
    Agreed,
    /// It may do everything.
    Proved,
    /// It was told that it may not; the connection ends.
    Refused,
}

impl Session {
    /// Of a new connection.
    pub fn begin(broker: &Broker) -> Self {
        if broker.password.is_some() { Self::Unknown } else { Self::Proved }
    }

    /// Whether its client may do everything.
    pub fn is_proved(self) -> bool {
        self == Self::Proved
    }

    /// Whether the connection is to end.
    pub fn is_refused(self) -> bool {
        self == Self::Refused
    }
}

/// Agrees upon the mechanism.
pub fn handshake(broker: &Broker, session: &mut Session, request: &mut Request) -> Result<BytesMut, ConnectionError> {
    let asked: SaslHandshakeRequest = request.decode()?;
    let answer = SaslHandshakeResponse::default().with_mechanisms(vec![StrBytes::from_static_str(MECHANISM)]);
    // In version 0 what follows is in no frames of the protocol.
    let error = match (&broker.password, &*asked.mechanism) {
        (None, _) => Some(ResponseError::IllegalSaslState),
        (Some(_), MECHANISM) if request.version > 0 => None,
        (Some(_), _) => Some(ResponseError::UnsupportedSaslMechanism),
    };
    *session = match error {
        None => Session::Agreed,
        Some(_) => Session::Refused,
    };
    request.encode(&answer.with_error_code(error.map_or(0, |error| error.code())))
}

/// Looks at user and password.
pub fn authenticate(
    broker: &Broker,
    session: &mut Session,
    request: &mut Request,
) -> Result<BytesMut, ConnectionError> {
    let asked: SaslAuthenticateRequest = request.decode()?;
    let refusal = match (&broker.password, *session) {
        (Some(password), Session::Agreed) if password.is_proved_by(&asked.auth_bytes) => None,
        (Some(_), Session::Agreed) => Some((ResponseError::SaslAuthenticationFailed, "user or password is wrong")),
        _ => Some((ResponseError::IllegalSaslState, "no mechanism is agreed upon")),
    };
    let answer = SaslAuthenticateResponse::default();
    let Some((error, why)) = refusal else {
        *session = Session::Proved;
        return request.encode(&answer);
    };
    *session = Session::Refused;
    request.encode(&answer.with_error_code(error.code()).with_error_message(Some(StrBytes::from_static_str(why))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_user_and_password_together_are_a_proof() {
        let password = Password::of(b"right");
        for proof in [&b"\0souk\0right"[..], b"souk\0souk\0right"] {
            assert!(password.is_proved_by(proof), "{proof:?}");
        }
        for no_proof in [
            &b""[..],
            b"\0",
            b"\0souk\0",
            b"\0souk\0wrong",
            b"\0other\0right",
            b"other\0souk\0right",
            b"\0souk\0right\0",
            b"souk\0right",
        ] {
            assert!(!password.is_proved_by(no_proof), "{no_proof:?}");
        }
    }

    #[test]
    fn a_password_comes_from_a_file_that_holds_one() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "right\n").expect("written");
        assert!(Password::read(file.path()).expect("a password").is_proved_by(b"\0souk\0right"));
        std::fs::write(file.path(), "\n").expect("written");
        assert!(Password::read(file.path()).is_err());
    }
}
