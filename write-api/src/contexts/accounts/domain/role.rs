//! A role that a shop has defined: what the people may do who have it.

use crate::domain::{Aggregate, Refusal, Slug, validation::Findings};
use schemas::{
    Uuid,
    events::{
        AccountsEvent,
        accounts::{RoleDefined, RoleRemoved},
    },
    permission::Permission,
    problem::{Code, FieldError, ProblemType},
    roles::BuiltIn,
};
use serde::{Deserialize, Serialize};

/// Roles that a shop may define.
pub const MOST_ROLES: usize = 100;
/// What every shopper has, and so no role may be called.
const CUSTOMER: &str = "customer";

/// A role, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its id.
    pub role_id: Uuid,
    /// By which it is named in addresses.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// What who has it may do.
    pub permissions: Vec<String>,
    /// Whether it is none any more.
    #[serde(default)]
    pub is_gone: bool,
}

/// A role that an owner asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRole {
    /// By which it is named in addresses.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// What who has it may do.
    pub permissions: Vec<String>,
}

/// What can be done to a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleCommand {
    /// Makes it, or makes it another.
    Define(RoleDefined),
    /// Makes it none; who has it may do nothing by it.
    Remove,
}

/// Why a role stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is none.
    #[error("the shop has no such role")]
    Missing,
}

impl Refusal for Rejection {
    fn problem(&self) -> ProblemType {
        Code::NotFound.into()
    }
}

impl NewRole {
    /// The role that comes of it, with this id.
    ///
    /// # Errors
    /// What of it is not allowed.
    pub fn defined(self, role_id: Uuid) -> Result<RoleDefined, Vec<FieldError>> {
        let Self { slug, name, mut permissions } = self;
        let mut findings = Findings::default();
        if let Err(reason) = Slug::parse(&slug) {
            findings.add("slug", reason);
        }
        if slug.parse::<BuiltIn>().is_ok() || slug == CUSTOMER {
            findings.add("slug", "every shop has that one: staff, owner, admin and customer can't be defined");
        }
        findings.line(|| "/name".to_owned(), &name, 100);
        if permissions.is_empty() {
            findings.add("/permissions", "a role names at least one permission");
        }
        for (place, permission) in permissions.iter().enumerate() {
            if let Err(unknown) = permission.parse::<Permission>() {
                findings.add(format!("/permissions/{place}"), unknown.to_string());
            }
        }
        findings.done()?;
        permissions.sort_unstable();
        permissions.dedup();
        Ok(RoleDefined { role_id, slug, name, permissions })
    }
}

impl Aggregate for Role {
    const NAME: &'static str = "role";
    type Command = RoleCommand;
    type Event = AccountsEvent;
    type Rejection = Rejection;

    fn decide(state: Option<&Self>, command: RoleCommand) -> Result<Vec<AccountsEvent>, Rejection> {
        match (state, command) {
            (Some(role), RoleCommand::Define(defined)) if !role.is_gone && role.defined() == defined => Ok(vec![]),
            (_, RoleCommand::Define(defined)) => Ok(vec![AccountsEvent::RoleDefined(defined)]),
            (Some(role), RoleCommand::Remove) if role.is_gone => Ok(vec![]),
            (Some(role), RoleCommand::Remove) => {
                Ok(vec![AccountsEvent::RoleRemoved(RoleRemoved { role_id: role.role_id })])
            }
            (None, RoleCommand::Remove) => Err(Rejection::Missing),
        }
    }

    fn apply(state: Option<Self>, event: &AccountsEvent) -> Option<Self> {
        if let AccountsEvent::RoleDefined(RoleDefined { role_id, slug, name, permissions }) = event.clone() {
            return Some(Self { role_id, slug, name, permissions, is_gone: false });
        }
        let AccountsEvent::RoleRemoved(_) = event else { return state };
        state.map(|role| Self { is_gone: true, ..role })
    }
}

impl Role {
    fn defined(&self) -> RoleDefined {
        let Self { role_id, slug, name, permissions, is_gone: _ } = self.clone();
        RoleDefined { role_id, slug, name, permissions }
    }
}
