//! What staff of a shop may be allowed to do. Keys and events have the names.

use std::{fmt, str::FromStr};

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)+) => {
        /// What staff of a shop may be allowed to do, by context.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission { $($(#[$doc])* $name,)+ }

        impl Permission {
            /// Every permission.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Its name, as keys and the OpenAPI documents have it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// No permission has that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no permission; there are: {}", known())]
pub struct UnknownPermission {
    /// What was asked for.
    pub name: String,
}

fn known() -> String {
    Permission::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", ")
}

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        Self::ALL
            .iter()
            .copied()
            .find(|one| one.as_str() == text)
            .ok_or_else(|| UnknownPermission { name: text.to_owned() })
    }
}

permissions! {
    /// Products and categories.
    CatalogWrite = "catalog.write";
    /// Prices.
    PricingWrite = "pricing.write";
    /// Stock.
    InventoryWrite = "inventory.write";
    /// Rules, synonyms, facets and experiments.
    MerchandisingWrite = "merchandising.write";
    /// To see what is defined to steer search, and why a product is found.
    MerchandisingRead = "merchandising.read";
    /// Figures of what shoppers did.
    InsightsRead = "insights.read";
    /// Events of the shop that could not be applied.
    StatusRead = "status.read";
    /// What staff and administrators did.
    AuditRead = "audit.read";
    /// Which accounts of shoppers there are.
    AccountsRead = "accounts.read";
    /// Which groups of customers somebody is in.
    AccountsWrite = "accounts.write";
    /// To erase a shopper for good, on their wish.
    AccountsErase = "accounts.erase";
    /// Tax, shipping, places and deadlines.
    SettingsWrite = "settings.write";
    /// Promotions and their codes.
    PromotionsWrite = "promotions.write";
    /// To see carts, orders and what became of them.
    OrdersRead = "orders.read";
    /// To change and cancel orders.
    OrdersWrite = "orders.write";
    /// To see payments and the ledger.
    PaymentsRead = "payments.read";
    /// To enter payments by hand.
    PaymentsWrite = "payments.write";
    /// To approve what somebody else entered.
    PaymentsApprove = "payments.approve";
}
