//! Who buys: a customer who has signed in, or a guest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;
use uuid::Uuid;

/// How a buyer is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BuyerKind {
    /// By an account.
    Customer,
    /// By a token that was given out to nobody in particular.
    Guest,
}

impl BuyerKind {
    /// As events and tables have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Guest => "guest",
        }
    }
}

/// Whoever buys in a shop. Nothing personal: of a guest there is but a number, of a customer that of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Buyer {
    /// How they are known.
    pub kind: BuyerKind,
    /// The account's id, or the guest's.
    pub id: Uuid,
}

impl Buyer {
    /// Whoever has this account.
    #[must_use]
    pub const fn customer(id: Uuid) -> Self {
        Self { kind: BuyerKind::Customer, id }
    }

    /// Whoever has the token of this guest.
    #[must_use]
    pub const fn guest(id: Uuid) -> Self {
        Self { kind: BuyerKind::Guest, id }
    }
}

impl fmt::Display for Buyer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.id)
    }
}
