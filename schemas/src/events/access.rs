//! Events of the access context. None holds a key: what is told of one is its digest, by which it is known again.

use crate::{NaiveDate, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// What a key is for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// To search and read as shoppers do. It may stand in a page.
    Search,
    /// What its permissions name.
    Staff,
    /// All of the shop, its keys included.
    Owner,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Search, Self::Staff, Self::Owner];

    /// Its name, as events and keys have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Staff => "staff",
            Self::Owner => "owner",
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// No kind of key has that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of key: search, staff and owner are")]
pub struct UnknownKeyKind(pub String);

impl FromStr for KeyKind {
    type Err = UnknownKeyKind;

    fn from_str(text: &str) -> Result<Self, UnknownKeyKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| UnknownKeyKind(text.to_owned()))
    }
}

/// A key was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyCreated {
    /// Its id, also the aggregate id.
    pub key_id: Uuid,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub kind: KeyKind,
    /// Of a staff key: what it may do, such as `catalog.write`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
    /// Its first characters, to tell it from others.
    pub hint: String,
    /// SHA-256 of the key, in hexadecimal digits.
    pub digest: String,
    /// Of a search key: what scoped keys that are made of it are signed with, in hexadecimal digits. It follows from the
    /// key, and leads to no other use of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_key: Option<String>,
    /// From when on it is none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A key is none any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyRevoked {
    /// Its id, also the aggregate id.
    pub key_id: Uuid,
}

/// A key was used on a day for the first time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyUsed {
    /// Its id, also the aggregate id.
    pub key_id: Uuid,
    /// The day, in UTC.
    pub day: NaiveDate,
}

super::events! {
    /// What happens to keys.
    AccessEvent of Access; {
        /// A key was made.
        KeyCreated(KeyCreated) = "souk.access.key.created.v1",
        /// A key was used, told once a day.
        KeyUsed(KeyUsed) = "souk.access.key.used.v1",
        /// A key is none any more.
        KeyRevoked(KeyRevoked) = "souk.access.key.revoked.v1",
    }
}
