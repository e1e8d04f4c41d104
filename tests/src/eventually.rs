//! Waiting for a condition with a deadline, never for a time.

use std::{future::Future, time::Duration};
use tokio::time::Instant;

/// How often a condition is looked at.
const INTERVAL: Duration = Duration::from_millis(20);

/// Asks `check` again and again until it gives a value; panics with the last reason at the deadline.
///
/// # Panics
/// When the deadline passes: the test has failed.
#[expect(clippy::panic, reason = "this is how a test fails")]
pub async fn eventually<T, F, Fut>(what: &str, deadline: Duration, mut check: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, String>>,
{
    let end = Instant::now() + deadline;
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        ticks.tick().await;
        match check().await {
            Ok(value) => return value,
            Err(reason) if Instant::now() >= end => panic!("not within {deadline:?}: {what}. Last seen: {reason}"),
            Err(_) => {}
        }
    }
}
