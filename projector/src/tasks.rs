//! Named tasks of one role, and which of them has ended.

use crate::deps::RoleError;
use tokio::task::JoinSet;

/// The next of some named tasks that has ended by itself, and why; one that was aborted was ended on purpose.
///
/// # Errors
/// If a task panicked.
pub fn next_ended(tasks: &mut JoinSet<(String, Result<(), RoleError>)>) -> Result<Option<(String, String)>, RoleError> {
    while let Some(ended) = tasks.try_join_next() {
        match ended {
            Ok((name, outcome)) => {
                let reason = outcome.err().map_or_else(|| "it ended".to_owned(), |error| error.to_string());
                return Ok(Some((name, reason)));
            }
            Err(error) if error.is_cancelled() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}
