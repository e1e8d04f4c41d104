//! Reading JSON: what can't be read is a rejection that points at the place.

use crate::pipeline::Rejection;
use serde::de::DeserializeOwned;

/// Reads a value.
///
/// # Errors
/// Where in the text or at which JSON pointer it can't be read.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Rejection> {
    service::json::read(bytes).map_err(|error| Rejection::unreadable(vec![error]))
}
