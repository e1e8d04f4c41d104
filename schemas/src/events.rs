//! Every event of every context, in its current version.
//!
//! An event is a fact in the past tense. Its payload is self-contained: a projection never has to
//! ask the write side what it meant.

pub mod access;
pub mod accounts;
pub mod audit;
pub mod carts;
pub mod catalog;
pub mod checkout;
pub mod insights;
pub mod inventory;
pub mod merchandising;
pub mod orders;
pub mod payments;
pub mod pricing;
pub mod promotions;
pub mod settings;
pub mod tenants;

use crate::contexts::Context;
use schemars::Schema;
use uuid::Uuid;

pub use crate::contexts::{DomainEvent, enums::*};

/// An event of one context, as it is recorded and sent. The `events!` blocks implement it.
pub trait Event: Clone + Send + Sync + Sized + 'static {
    /// The context that records it.
    const CONTEXT: Context;
    /// What keeps related events in order.
    const PARTITIONED_BY: PartitionedBy<Self>;

    /// The wire type, version included.
    fn event_type(&self) -> &'static str;

    /// The payload as JSON text.
    ///
    /// # Errors
    /// [`EncodeError`] if a value of the payload has no JSON form.
    fn to_json(&self) -> Result<String, EncodeError>;

    /// The id in the Kafka key, beside the tenant's: events of the same key keep their order.
    fn key(&self, aggregate: Uuid) -> Uuid {
        match Self::PARTITIONED_BY {
            PartitionedBy::Aggregate => aggregate,
            PartitionedBy::Other(_, id) => id(self),
        }
    }
}

/// What a Kafka key is made of, beside the tenant.
#[derive(Debug, Clone, Copy)]
pub enum PartitionedBy<E> {
    /// The aggregate's own id.
    Aggregate,
    /// The id of something that several contexts tell of, so that all of it stands in one partition number: its name,
    /// and where the event has it.
    Other(&'static str, fn(&E) -> Uuid),
}

/// What the contract says of an event.
#[derive(Debug, Clone)]
pub struct EventDescription {
    /// The wire type, version included.
    pub event_type: &'static str,
    /// JSON Schema (draft 2020-12) of the payload.
    pub schema: Schema,
    /// What the id in the Kafka key is the id of, such as `product`.
    pub key: &'static str,
}

/// An event can't be written down.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the payload of `{event_type}` has no JSON form: {reason}")]
pub struct EncodeError {
    /// The event's type.
    pub event_type: &'static str,
    /// What the JSON writer said.
    pub reason: String,
}

/// A payload can't be turned into an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No event of that type is known here; a newer producer may have written it.
    #[error("the event type `{0}` is not known")]
    UnknownType(String),
    /// The payload does not have the shape of its type.
    #[error("the payload of `{event_type}` can't be read: {reason}")]
    Malformed {
        /// The type that was claimed.
        event_type: String,
        /// What the JSON reader said.
        reason: String,
    },
}

/// Declares a context's event enum: variants, wire types, encoding, decoding, JSON Schemas, partition key. Events are
/// partitioned by their aggregate's id unless `partitioned by "<thing>" = <function>` says otherwise.
macro_rules! events {
    (
        $(#[$doc:meta])* $name:ident of $context:ident $(, partitioned by $thing:literal = $id:expr)?;
        { $($(#[$vdoc:meta])* $variant:ident($payload:ty) = $wire:literal,)+ }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name { $($(#[$vdoc])* $variant($payload),)+ }

        impl $name {
            /// The wire type, version included.
            #[must_use]
            pub const fn event_type(&self) -> &'static str {
                match self { $(Self::$variant(_) => $wire,)+ }
            }

            /// The payload as JSON text.
            ///
            /// # Errors
            /// [`EncodeError`](crate::events::EncodeError) if a value of the payload has no JSON form.
            pub fn to_json(&self) -> Result<String, crate::events::EncodeError> {
                let written = match self { $(Self::$variant(payload) => serde_json::to_string(payload),)+ };
                written.map_err(|error| crate::events::EncodeError {
                    event_type: self.event_type(),
                    reason: error.to_string(),
                })
            }

            /// Reads a payload of the current version.
            ///
            /// # Errors
            /// [`DecodeError`](crate::events::DecodeError) if the type is unknown or the payload malformed.
            pub fn from_json(event_type: &str, data: &[u8]) -> Result<Self, crate::events::DecodeError> {
                let malformed = |error: serde_json::Error| crate::events::DecodeError::Malformed {
                    event_type: event_type.to_owned(),
                    reason: error.to_string(),
                };
                match event_type {
                    $($wire => serde_json::from_slice(data).map(Self::$variant).map_err(malformed),)+
                    _ => Err(crate::events::DecodeError::UnknownType(event_type.to_owned())),
                }
            }

            /// What the contract says of each event.
            #[must_use]
            pub fn descriptions() -> Vec<crate::events::EventDescription> {
                vec![$(crate::events::EventDescription {
                    event_type: $wire,
                    schema: schemars::schema_for!($payload),
                    key: crate::events::key_name(&<Self as crate::events::Event>::PARTITIONED_BY, $wire),
                },)+]
            }
        }

        impl crate::events::Event for $name {
            const CONTEXT: crate::contexts::Context = crate::contexts::Context::$context;
            const PARTITIONED_BY: crate::events::PartitionedBy<Self> =
                crate::events::partitioned_by!($($thing = $id)?);

            fn event_type(&self) -> &'static str {
                self.event_type()
            }

            fn to_json(&self) -> Result<String, crate::events::EncodeError> {
                self.to_json()
            }
        }

        const _: () = {
            $(assert!(
                crate::events::is_type_of(crate::contexts::Context::$context, $wire),
                concat!($wire, " does not begin with `souk.` and its context"),
            );)+
        };
    };
}
pub(crate) use events;

macro_rules! partitioned_by {
    () => {
        crate::events::PartitionedBy::Aggregate
    };
    ($thing:literal = $id:expr) => {
        crate::events::PartitionedBy::Other($thing, $id)
    };
}
pub(crate) use partitioned_by;

/// What the id in the key of a type is the id of: by default its aggregate, the third segment of the type.
pub(crate) fn key_name<E>(by: &PartitionedBy<E>, event_type: &'static str) -> &'static str {
    match by {
        PartitionedBy::Aggregate => event_type.split('.').nth(2).unwrap_or(event_type),
        PartitionedBy::Other(thing, _) => thing,
    }
}

/// Type, JSON Schema and partition key of each current event of every context.
#[must_use]
pub fn descriptions() -> Vec<EventDescription> {
    Context::ALL.into_iter().flat_map(Context::events).collect()
}

/// Wire type and JSON Schema of every current event.
#[must_use]
pub fn json_schemas() -> Vec<(&'static str, Schema)> {
    descriptions().into_iter().map(|event| (event.event_type, event.schema)).collect()
}

/// Whether a wire type begins with `souk.<context>.`.
pub(crate) const fn is_type_of(context: Context, event_type: &str) -> bool {
    starts_with(event_type.as_bytes(), 0, b"souk.")
        && starts_with(event_type.as_bytes(), 5, context.name().as_bytes())
        && starts_with(event_type.as_bytes(), 5 + context.name().len(), b".")
}

const fn starts_with(text: &[u8], offset: usize, wanted: &[u8]) -> bool {
    let mut index = 0;
    while index < wanted.len() {
        if offset + index >= text.len() || text[offset + index] != wanted[index] {
            return false;
        }
        index += 1;
    }
    true
}

#[cfg(test)]
mod tests;
