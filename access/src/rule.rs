//! Who may call a route.

use crate::caller::{Caller, Denied};
use schemas::{events::access::KeyKind, permission::Permission};

/// Who may call a route. Each rule lets those in whom a stricter one lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Anybody: nothing of a shop is shown or changed.
    Anybody,
    /// Whoever shops in the tenant that is named. What is answered keeps to what a scoped key restricts to.
    Search,
    /// Whoever shops in the tenant that is named, but nobody with a scoped key: products outside of its scope are shown.
    Shopper,
    /// A shopper of the tenant who has signed in, of what is theirs.
    Customer,
    /// Staff of the tenant who have a permission, and its owners.
    Staff(Permission),
    /// Owners of the tenant.
    Owner,
    /// Administrators of the installation.
    Admin,
}

impl Rule {
    /// Whether a caller may call the route at all. In which shops is another question: [`Caller::shop`].
    ///
    /// # Errors
    /// [`Denied`]
    pub fn check(self, caller: &Caller) -> Result<(), Denied> {
        match (self, caller) {
            (Self::Anybody, _)
            | (Self::Search, Caller::Scoped(..))
            | (Self::Search | Self::Shopper, Caller::Visitor(_) | Caller::Key(_) | Caller::Customer(_))
            | (Self::Customer, Caller::Customer(_)) => Ok(()),
            // What is a shopper's is nobody else's, whoever they are.
            (Self::Customer, Caller::Admin) => Err(Denied::NotFor(self)),
            (_, Caller::Admin) => Ok(()),
            (Self::Staff(permission), Caller::Key(key)) if key.may(permission) => Ok(()),
            (Self::Owner, Caller::Key(key)) if key.kind == KeyKind::Owner => Ok(()),
            (_, Caller::Key(_) | Caller::Scoped(..) | Caller::Customer(_)) => Err(Denied::NotFor(self)),
            (_, Caller::Unknown) => Err(Denied::UnknownKey),
            (_, Caller::Unavailable) => Err(Denied::Unavailable),
            (_, Caller::Anonymous | Caller::Visitor(_)) => Err(Denied::NoKey),
        }
    }

    /// In one word or two, for the OpenAPI documents.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Anybody => "anybody".to_owned(),
            Self::Search => "search".to_owned(),
            Self::Shopper => "shopper".to_owned(),
            Self::Customer => "customer".to_owned(),
            Self::Staff(permission) => format!("staff {}", permission.as_str()),
            Self::Owner => "owner".to_owned(),
            Self::Admin => "admin".to_owned(),
        }
    }
}
