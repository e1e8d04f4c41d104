//! Every event of every context, in its current version.
//!
//! An event is a fact in the past tense. Its payload is self-contained: a projection never has to
//! ask the write side what it meant.

pub mod catalog;
pub mod insights;
pub mod inventory;
pub mod merchandising;
pub mod pricing;
pub mod tenants;

use crate::{topics::Context, upcast};
use schemars::Schema;

pub use catalog::CatalogEvent;
pub use insights::InsightsEvent;
pub use inventory::InventoryEvent;
pub use merchandising::MerchandisingEvent;
pub use pricing::PricingEvent;
pub use tenants::TenantsEvent;

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

/// Declares a context's event enum: variants, wire types, encoding, decoding, JSON Schemas.
macro_rules! events {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident($payload:ty) = $wire:literal,)+ }) => {
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
            #[must_use]
            pub fn to_json(&self) -> String {
                // Payloads hold no maps with non-text keys and no failing serializers.
                match self { $(Self::$variant(payload) => serde_json::to_string(payload).unwrap_or_default(),)+ }
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

            /// Wire type and JSON Schema (draft 2020-12) of each event.
            #[must_use]
            pub fn json_schemas() -> Vec<(&'static str, schemars::Schema)> {
                vec![$(($wire, schemars::schema_for!($payload)),)+]
            }
        }
    };
}
pub(crate) use events;

/// An event of any context.
#[derive(Debug, Clone, PartialEq)]
pub enum DomainEvent {
    /// Of the tenants context.
    Tenants(TenantsEvent),
    /// Of the catalog context.
    Catalog(CatalogEvent),
    /// Of the pricing context.
    Pricing(PricingEvent),
    /// Of the inventory context.
    Inventory(InventoryEvent),
    /// Of the merchandising context.
    Merchandising(MerchandisingEvent),
    /// Of the insights context.
    Insights(InsightsEvent),
}

impl DomainEvent {
    /// Reads a payload of any version ever released: retired ones are brought up to date first.
    ///
    /// # Errors
    /// [`DecodeError`] if the type is unknown or the payload malformed.
    pub fn decode(context: Context, event_type: &str, data: &[u8]) -> Result<Self, DecodeError> {
        let (event_type, data) = upcast::upcast(event_type, data)?;
        Ok(match context {
            Context::Tenants => Self::Tenants(TenantsEvent::from_json(&event_type, &data)?),
            Context::Catalog => Self::Catalog(CatalogEvent::from_json(&event_type, &data)?),
            Context::Pricing => Self::Pricing(PricingEvent::from_json(&event_type, &data)?),
            Context::Inventory => Self::Inventory(InventoryEvent::from_json(&event_type, &data)?),
            Context::Merchandising => Self::Merchandising(MerchandisingEvent::from_json(&event_type, &data)?),
            Context::Insights => Self::Insights(InsightsEvent::from_json(&event_type, &data)?),
        })
    }
}

/// Wire type and JSON Schema of every current event.
#[must_use]
pub fn json_schemas() -> Vec<(&'static str, Schema)> {
    let mut schemas = TenantsEvent::json_schemas();
    schemas.extend(CatalogEvent::json_schemas());
    schemas.extend(PricingEvent::json_schemas());
    schemas.extend(InventoryEvent::json_schemas());
    schemas.extend(MerchandisingEvent::json_schemas());
    schemas.extend(InsightsEvent::json_schemas());
    schemas
}
