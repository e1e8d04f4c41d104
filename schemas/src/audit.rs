//! What an entry of the audit says. Both sides read it; its text is what the chain of digests is made of.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The digest before the first entry, in hexadecimal digits.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The digest of an entry, as its text, behind the one that has the digest `previous`: SHA-256 of the bytes of the one and
/// the text of the other, in hexadecimal digits. None where `previous` is no such digits.
#[must_use]
pub fn digest(previous: &str, entry: &str) -> Option<String> {
    let mut hash = Sha256::new_with_prefix(hex::decode(previous).ok()?);
    hash.update(entry.as_bytes());
    Some(hex::encode(hash.finalize()))
}

/// Something that staff or an administrator did in one transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Entry {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// The address that the request came from, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Why, as the request said in `souk-reason`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The request, as logs, traces and events name it.
    pub correlation_id: String,
    /// What was changed.
    pub changes: Vec<Change>,
}

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// An administrator of the installation.
    Admin {
        /// The account; none for whoever has the administrators' key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<Uuid>,
    },
    /// An owner of the shop.
    Owner {
        /// The key, where they had one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<Uuid>,
        /// The account, where they had signed in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<Uuid>,
    },
    /// The shop's staff.
    Staff {
        /// The key, where they had one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<Uuid>,
        /// The account, where they had signed in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<Uuid>,
    },
}

impl Actor {
    /// The kind, as entries have it.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Admin { .. } => "admin",
            Self::Owner { .. } => "owner",
            Self::Staff { .. } => "staff",
        }
    }

    /// The id of the key or of the account; none for the administrators' key.
    #[must_use]
    pub fn id(self) -> Option<Uuid> {
        match self {
            Self::Admin { user } => user,
            Self::Owner { key, user } | Self::Staff { key, user } => key.or(user),
        }
    }
}

/// What became of one aggregate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Change {
    /// The context, such as `catalog`.
    pub context: String,
    /// The kind of aggregate, such as `product`.
    pub aggregate: String,
    /// Its id.
    pub id: Uuid,
    /// Its version before; 0 for what was made.
    pub before: u64,
    /// Its version after.
    pub after: u64,
    /// The types of the events, in their order.
    pub events: Vec<String>,
    /// SHA-256 of the payloads of these events, one behind the other, in hexadecimal digits.
    pub payloads: String,
    /// What of its state is another than before; none for what was made, since the events say all of that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
}

/// A value that is another than before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldChange {
    /// Where it stands in the state, as a JSON pointer.
    pub pointer: String,
    /// What it was; null if it was not there. What is large is told by its bytes and its SHA-256.
    pub before: Value,
    /// What it is.
    pub after: Value,
}
