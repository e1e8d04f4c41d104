//! Storage did not do what was asked.

use schemas::events::EncodeError;

/// Storage did not do what was asked; not a rejection by the domain.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Somebody else was faster; loading and deciding again will tell.
    #[error("somebody else changed it at the same time")]
    Conflict,
    /// A request with the same idempotency key is still running.
    #[error("the idempotency key is held by a request that is running")]
    Locked,
    /// Others held what is needed, or were faster, for too long.
    #[error("others were at the same things for too long")]
    Contended,
    /// The database can't be reached, or has no connection left.
    #[error("the database does not answer: {0}")]
    Unavailable(sqlx::Error),
    /// A stored value can't be read.
    #[error("a stored {0} can't be read: {1}")]
    Unreadable(&'static str, String),
    /// An event can't be written down.
    #[error(transparent)]
    Unwritable(#[from] EncodeError),
    /// A state or an answer can't be written down.
    #[error("a {0} has no JSON form: {1}")]
    NoJson(&'static str, serde_json::Error),
    /// Anything else.
    #[error("the database refused: {0}")]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(told) => match told.code().as_deref() {
                // unique and foreign keys, serialization, deadlock
                Some("23505" | "23503" | "40001" | "40P01") => Self::Conflict,
                Some("55P03") => Self::Contended,
                // The deadline of a statement, of an idle transaction, of a whole one.
                Some("57014" | "25P03" | "25P04") => Self::Unavailable(error),
                // shutting down, starting up, too many connections, connection classes
                Some(code) if code.starts_with("57P") || code.starts_with("53") || code.starts_with("08") => {
                    Self::Unavailable(error)
                }
                _ => Self::Database(error),
            },
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_)
            | sqlx::Error::Tls(_) => Self::Unavailable(error),
            _ => Self::Database(error),
        }
    }
}
