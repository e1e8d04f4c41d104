//! A record of a domain topic as an event.

use crate::consumer::Record;
use schemas::{envelope::Envelope, events::DomainEvent};

/// A decoded event and the key it came under.
#[derive(Debug, Clone)]
pub struct Event {
    /// The Kafka key: the unit of order, and of what is parked.
    pub key: String,
    /// Its metadata.
    pub envelope: Envelope,
    /// What happened.
    pub event: DomainEvent,
}

/// Decodes a record.
///
/// # Errors
/// A sentence, for the dead letter.
pub fn decode(record: &Record) -> Result<Event, String> {
    let envelope = Envelope::from_headers(record.header_pairs()).map_err(|error| error.to_string())?;
    let payload = record.payload.as_deref().ok_or("the record has no payload")?;
    let event =
        DomainEvent::decode(envelope.context, &envelope.event_type, payload).map_err(|error| error.to_string())?;
    Ok(Event { key: record.key.clone(), envelope, event })
}
