//! Roles of people who work for a shop, or for the installation. A shop defines more of them.

use crate::permission::Permission;
use std::{fmt, str::FromStr};

/// A role that every shop has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BuiltIn {
    /// Whoever works in the shop from day to day.
    Staff,
    /// Everything in the shop, its keys and roles included.
    Owner,
    /// Everything on the installation.
    Admin,
}

impl BuiltIn {
    /// Every such role.
    pub const ALL: [Self; 3] = [Self::Staff, Self::Owner, Self::Admin];
    /// What `staff` may do: everything but to erase people.
    pub const STAFF: [Permission; 17] = [
        Permission::CatalogWrite,
        Permission::PricingWrite,
        Permission::InventoryWrite,
        Permission::MerchandisingWrite,
        Permission::MerchandisingRead,
        Permission::InsightsRead,
        Permission::StatusRead,
        Permission::AuditRead,
        Permission::AccountsRead,
        Permission::AccountsWrite,
        Permission::SettingsWrite,
        Permission::PromotionsWrite,
        Permission::OrdersRead,
        Permission::OrdersWrite,
        Permission::PaymentsRead,
        Permission::PaymentsWrite,
        Permission::PaymentsApprove,
    ];

    /// Its name, as events and addresses have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Owner => "owner",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for BuiltIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// No role that every shop has is called that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no role that every shop has: staff, owner and admin are")]
pub struct NotBuiltIn(pub String);

impl FromStr for BuiltIn {
    type Err = NotBuiltIn;

    fn from_str(text: &str) -> Result<Self, NotBuiltIn> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| NotBuiltIn(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staff_may_do_everything_but_erase_people() {
        let missing: Vec<_> = Permission::ALL.iter().filter(|one| !BuiltIn::STAFF.contains(one)).collect();
        assert_eq!(missing, [&Permission::AccountsErase]);
    }
}
