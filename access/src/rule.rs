//! Who may call a route.

use crate::caller::{Caller, Denied};

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
}

/// Who may call a route. Each rule lets those in whom a stricter one lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Anybody: nothing of a shop is shown or changed.
    Anybody,
    /// Whoever shops in the tenant that is named.
    Shopper,
    /// Staff of the tenant who have a permission.
    Staff(Permission),
    /// Administrators of the installation.
    Admin,
}

impl Rule {
    /// Whether a caller may call the route at all. In which shops is another question: [`Caller::may_enter`].
    ///
    /// # Errors
    /// [`Denied`]
    pub const fn check(self, caller: &Caller) -> Result<(), Denied> {
        match (self, caller) {
            (Self::Anybody, _) | (Self::Shopper, Caller::Anonymous) | (_, Caller::Admin) => Ok(()),
            (_, Caller::Unknown) => Err(Denied::UnknownKey),
            (_, Caller::Anonymous) => Err(Denied::NoKey),
        }
    }

    /// In one word or two, for the OpenAPI documents.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Anybody => "anybody".to_owned(),
            Self::Shopper => "shopper".to_owned(),
            Self::Staff(permission) => format!("staff {}", permission.as_str()),
            Self::Admin => "admin".to_owned(),
        }
    }
}
