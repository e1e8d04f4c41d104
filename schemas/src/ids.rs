//! Typed identifiers: UUID version 7, so that ids sort by the time they were drawn.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[derive(utoipa::ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The id as a plain UUID, for storage.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

typed_id!(
    /// A shop on this installation; every row, event and document belongs to one.
    TenantId
);
typed_id!(
    /// A product: what a shopper finds; it has one or more variants.
    ProductId
);
typed_id!(
    /// A variant: what a shopper buys; it has a SKU, prices and stock.
    VariantId
);
typed_id!(
    /// A node of the tenant's category tree.
    CategoryId
);
typed_id!(
    /// A line of a cart. It stays the same in the checkout and in the order.
    LineId
);
typed_id!(
    /// What makes carts cheaper, by its name in a shop.
    PromotionId
);
typed_id!(
    /// One event, unique for ever; the CloudEvents `id`.
    EventId
);
