//! Where time and ids come from.

use schemas::{Timestamp, Uuid};
use std::fmt::Debug;

/// The time of day, new ids and chance; commands carry them, so the rules need none.
pub trait Clock: Debug + Send + Sync {
    /// Now, in whole microseconds, as PostgreSQL keeps it.
    fn now(&self) -> Timestamp;
    /// A new UUID of version 7.
    fn id(&self) -> Uuid;
    /// 32 bytes that nobody can guess.
    fn secret(&self) -> [u8; 32];
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

    fn secret(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes);
        bytes
    }
}
