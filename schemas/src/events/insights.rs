//! Events of the insights context: what shoppers searched for and did, in the shape of the User Behavior
//! Insights schema 1.3 (<https://github.com/o19s/ubi>). Facts are kept as they were reported; what
//! orders them is the client that reported them.

use crate::{Timestamp, ids::ProductId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A shopper searched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClientSearched {
    /// Tells this report from every other of the tenant.
    pub record_id: Uuid,
    /// The browser or device; the aggregate id is derived from it.
    pub client_id: String,
    /// The search; what follows from it names it.
    pub query_id: String,
    /// Where it was searched, such as `web`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// What was typed.
    pub user_query: String,
    /// What else was asked for, such as filters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query_attributes: BTreeMap<String, serde_json::Value>,
    /// The products that were shown; absent where nobody says, empty where there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_response_hit_ids: Option<Vec<ProductId>>,
    /// When, by the client's clock.
    pub timestamp: Timestamp,
    /// Experiment and arm by which it was ranked, as `<experiment>/<arm>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<String>,
}

/// What somebody did something with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActedObject {
    /// The product.
    pub object_id: ProductId,
    /// What the id is one of; always `product_id`.
    pub object_id_field: String,
}

/// Where it stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActedPosition {
    /// The place among the hits, from 1.
    pub ordinal: u32,
}

/// What somebody did something with, and where that stood.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventAttributes {
    /// The product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ActedObject>,
    /// Its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<ActedPosition>,
}

/// A shopper did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientActed {
    /// Tells this report from every other of the tenant.
    pub record_id: Uuid,
    /// What: `impression`, `click`, `add_to_cart`, `purchase` or a word of the shop's own.
    pub action_name: String,
    /// The search it follows from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_id: Option<String>,
    /// The browser or device; the aggregate id is derived from it.
    pub client_id: String,
    /// The visit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The shopper, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// When, by the client's clock.
    pub timestamp: Timestamp,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// With what, and where it stood.
    #[serde(default)]
    pub event_attributes: EventAttributes,
}

super::events! {
    /// What shoppers did.
    InsightsEvent of Insights; {
        /// A shopper searched.
        Searched(ClientSearched) = "souk.insights.client.searched.v1",
        /// A shopper did something.
        Acted(ClientActed) = "souk.insights.client.acted.v1",
    }
}

impl InsightsEvent {
    /// The browser or device that reported it.
    #[must_use]
    pub fn client_id(&self) -> &str {
        match self {
            Self::Searched(event) => &event.client_id,
            Self::Acted(event) => &event.client_id,
        }
    }

    /// What tells the report from every other.
    #[must_use]
    pub const fn record_id(&self) -> Uuid {
        match self {
            Self::Searched(event) => event.record_id,
            Self::Acted(event) => event.record_id,
        }
    }

    /// The same report under another id.
    #[must_use]
    pub fn identified(mut self, record_id: Uuid) -> Self {
        match &mut self {
            Self::Searched(event) => event.record_id = record_id,
            Self::Acted(event) => event.record_id = record_id,
        }
        self
    }

    /// When it happened, by the client's clock.
    #[must_use]
    pub const fn timestamp(&self) -> Timestamp {
        match self {
            Self::Searched(event) => event.timestamp,
            Self::Acted(event) => event.timestamp,
        }
    }
}

/// Experiment and arm of the form `<experiment>/<arm>`.
#[must_use]
pub fn split_arm(text: &str) -> Option<(&str, &str)> {
    text.split_once('/').filter(|(experiment, arm)| !experiment.is_empty() && !arm.is_empty())
}
