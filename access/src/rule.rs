//! Who may call a route.

use crate::{
    caller::{Caller, Denied},
    member::Power,
};
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
    /// Whoever names the tenant, to sign in there: by its host, a key, or a header. Nobody with a scoped key.
    Named,
    /// A shopper of the tenant who has signed in, of what is theirs.
    Customer,
    /// The same, or a guest of the tenant, of what is theirs.
    Buyer,
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
            | (
                Self::Search | Self::Shopper | Self::Named,
                Caller::Visitor(_) | Caller::Key(_) | Caller::Customer(_) | Caller::Guest(_) | Caller::Member(_),
            )
            | (Self::Named, Caller::Anonymous | Caller::Newcomer)
            | (Self::Customer | Self::Buyer, Caller::Customer(_) | Caller::Member(_))
            | (Self::Buyer, Caller::Guest(_)) => Ok(()),
            // What is a shopper's is nobody else's, whoever they are.
            (Self::Customer | Self::Buyer, Caller::Admin) => Err(Denied::NotFor(self)),
            (_, Caller::Admin) => Ok(()),
            (Self::Staff(permission), Caller::Key(key)) if key.may(permission) => Ok(()),
            (Self::Owner, Caller::Key(key)) if key.kind == KeyKind::Owner => Ok(()),
            (_, Caller::Member(member)) => {
                if self.lets(&member.power) {
                    Ok(())
                } else {
                    Err(Denied::NotAs(self))
                }
            }
            (_, Caller::Customer(_)) => Err(Denied::NotAs(self)),
            (_, Caller::Key(_) | Caller::Scoped(..) | Caller::Guest(_)) => Err(Denied::NotFor(self)),
            (_, Caller::Unknown) => Err(Denied::UnknownKey),
            (_, Caller::Unavailable) => Err(Denied::Unavailable),
            (_, Caller::Anonymous | Caller::Newcomer | Caller::Visitor(_)) => Err(Denied::NoKey),
        }
    }

    /// Whether it lets in people by what they may do.
    fn lets(self, power: &Power) -> bool {
        match (self, power) {
            (Self::Staff(permission), _) => power.permissions().contains(&permission),
            (Self::Owner, Power::Owner) | (_, Power::Admin) => true,
            (Self::Owner | Self::Admin, Power::Staff(_)) | (Self::Admin, Power::Owner) => false,
            // Shoppers may, and so may they.
            (Self::Anybody | Self::Search | Self::Shopper | Self::Named | Self::Customer | Self::Buyer, _) => true,
        }
    }

    /// In one word or two, for the OpenAPI documents.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Anybody => "anybody".to_owned(),
            Self::Search => "search".to_owned(),
            Self::Shopper => "shopper".to_owned(),
            Self::Named => "whoever names the tenant".to_owned(),
            Self::Customer => "customer".to_owned(),
            Self::Buyer => "buyer".to_owned(),
            Self::Staff(permission) => format!("staff {}", permission.as_str()),
            Self::Owner => "owner".to_owned(),
            Self::Admin => "admin".to_owned(),
        }
    }
}
