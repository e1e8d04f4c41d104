//! People who work for a shop or the installation, and have signed in with a one-time code besides the password.

use crate::customer::Customer;
use schemas::{permission::Permission, roles::BuiltIn};

/// What somebody may do beyond what shoppers may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Power {
    /// What these permissions name, in their shop.
    Staff(Vec<Permission>),
    /// Everything in their shop.
    Owner,
    /// Everything on the installation.
    Admin,
}

impl Power {
    /// That of roles, with the permissions of those among them that the shop has defined. None without any role.
    #[must_use]
    pub fn of<'a>(
        roles: impl IntoIterator<Item = &'a str>,
        permissions: impl IntoIterator<Item = Permission>,
    ) -> Option<Self> {
        let (mut most, mut has_any) = (None, false);
        for role in roles {
            has_any = true;
            most = most.max(role.parse::<BuiltIn>().ok());
        }
        let mut granted: Vec<_> = permissions.into_iter().collect();
        match most {
            Some(BuiltIn::Admin) => return Some(Self::Admin),
            Some(BuiltIn::Owner) => return Some(Self::Owner),
            Some(BuiltIn::Staff) => granted.extend(BuiltIn::STAFF),
            None => {}
        }
        granted.sort_unstable();
        granted.dedup();
        has_any.then_some(Self::Staff(granted))
    }

    /// What it allows, by permission.
    #[must_use]
    pub fn permissions(&self) -> &[Permission] {
        match self {
            Self::Staff(permissions) => permissions,
            Self::Owner | Self::Admin => Permission::ALL,
        }
    }
}

/// Somebody who works for a shop or the installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who, and in which session.
    pub customer: Customer,
    /// What they may do.
    pub power: Power,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_role_counts_and_permissions_add_up() {
        let of = |roles: &[&'static str], permissions: &[Permission]| {
            Power::of(roles.iter().copied(), permissions.iter().copied())
        };
        let custom = "0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b";
        assert_eq!(of(&[], &[]), None);
        assert_eq!(of(&[custom], &[]), Some(Power::Staff(vec![])));
        let erase = Permission::AccountsErase;
        assert_eq!(of(&[custom], &[erase, erase]), Some(Power::Staff(vec![erase])));
        let both = of(&["staff", custom], &[erase]).expect("a power");
        assert_eq!(both.permissions(), Permission::ALL);
        assert_eq!(of(&["staff", "owner"], &[]), Some(Power::Owner));
        assert_eq!(of(&["admin", "owner", custom], &[]), Some(Power::Admin));
    }
}
