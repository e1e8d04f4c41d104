//! Brings payloads of retired event versions up to the current one, at the decoding edge, so that
//! no projection ever sees an old shape.

use crate::events::{DecodeError, inventory};
use serde::{Serialize, de::DeserializeOwned};
use std::borrow::Cow;

type Step = fn(&[u8]) -> Result<Vec<u8>, serde_json::Error>;

/// Retired type, the type it becomes, and how. Chains run until no step applies.
const STEPS: &[(&str, &str, Step)] = &[(
    "souk.inventory.stock_item.received.v0",
    "souk.inventory.stock_item.received.v1",
    convert::<inventory::v0::StockReceivedV0, inventory::StockReceived>,
)];

fn convert<Old: DeserializeOwned, New: From<Old> + Serialize>(data: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let old: Old = serde_json::from_slice(data)?;
    serde_json::to_vec(&New::from(old))
}

/// The current type and payload for a type and payload of any version.
///
/// # Errors
/// [`DecodeError::Malformed`] if a retired payload does not have its shape.
pub fn upcast<'a>(event_type: &'a str, data: &'a [u8]) -> Result<(Cow<'a, str>, Cow<'a, [u8]>), DecodeError> {
    let mut current = (Cow::Borrowed(event_type), Cow::Borrowed(data));
    while let Some((_, next, step)) = STEPS.iter().find(|(from, _, _)| *from == current.0) {
        let data = step(&current.1).map_err(|error| DecodeError::Malformed {
            event_type: current.0.clone().into_owned(),
            reason: error.to_string(),
        })?;
        current = (Cow::Borrowed(next), Cow::Owned(data));
    }
    Ok(current)
}
