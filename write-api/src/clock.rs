//! Where time and ids come from.

use schemas::{Timestamp, Uuid};
use std::fmt::Debug;

/// The time of day and new ids; commands carry both, so the rules need neither.
pub trait Clock: Debug + Send + Sync {
    /// Now, in whole microseconds, as PostgreSQL keeps it.
    fn now(&self) -> Timestamp;
    /// A new UUID of version 7.
    fn id(&self) -> Uuid;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = schemas::Utc::now();
        Timestamp::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }

    fn id(&self) -> Uuid {
        Uuid::now_v7()
    }
}
