//! States and outboxes in PostgreSQL. One path writes both, for one aggregate or for many.

pub(crate) mod batch;
pub(crate) mod categories;
pub(crate) mod definitions;
pub(crate) mod idempotency;
pub(crate) mod outbox;
mod per_context;
pub(crate) mod price_sheets;
pub(crate) mod products;
pub(crate) mod reports;
pub(crate) mod stock_items;
pub(crate) mod tenants;
pub(crate) mod variants;

pub(crate) use batch::{Batch, Row, Stored};
use per_context::PerContext;

use crate::clock::Clock;
use schemas::{Timestamp, events::EncodeError, ids::TenantId};
use service::RequestContext;
use std::sync::Arc;

/// Whose data, at what time, on whose request.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) tenant: TenantId,
    pub(crate) request: RequestContext,
    pub(crate) now: Timestamp,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Storage did not do what was asked; not a refusal of the domain.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Somebody else was faster; loading and deciding again will tell.
    #[error("somebody else changed it at the same time")]
    Conflict,
    /// Somebody else holds a lock for too long.
    #[error("a lock was not given in time")]
    Locked,
    /// The database can't be reached, or has no connection left.
    #[error("the database does not answer: {0}")]
    Unavailable(sqlx::Error),
    /// A stored value can't be read.
    #[error("a stored {0} can't be read: {1}")]
    Unreadable(&'static str, String),
    /// A value can't be written down.
    #[error(transparent)]
    Unwritable(#[from] EncodeError),
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
                Some("55P03") => Self::Locked,
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

/// A version as PostgreSQL keeps it.
pub(crate) fn stored_version(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

/// A version out of PostgreSQL; a CHECK keeps it above zero.
pub(crate) fn read_version(version: i64) -> u64 {
    u64::try_from(version).unwrap_or_default()
}
