//! The roles that a shop defines, who has which, and the groups of customers that somebody is in.

use super::Loaded;
use crate::{
    contexts::accounts::{
        domain::{NewRole, Role, RoleCommand, UserCommand, role::MOST_ROLES},
        table,
    },
    domain::Aggregate,
    pipeline::{App, Change, Done, Error, Expected, Failure, Rejection, Scope, Stored, procedure::Procedure},
};
use schemas::{
    Uuid,
    contexts::Context,
    problem::{Code, Problem},
    roles::BuiltIn,
};
use sqlx::PgConnection;
use std::collections::BTreeSet;

/// Defines a role, or makes it another.
pub(in super::super) async fn define(
    app: &App,
    scope: &Scope,
    expected: Expected,
    role: NewRole,
) -> Result<Done, Error> {
    // What is wrong with it is told before anything is looked up.
    role.clone().defined(scope.clock.id()).map_err(Rejection::invalid)?;
    app.procedure(scope, &Defining { slug: role.slug.clone(), expected, role: Some(role) }).await
}

/// Removes a role.
pub(in super::super) async fn remove(
    app: &App,
    scope: &Scope,
    expected: Expected,
    slug: String,
) -> Result<Done, Error> {
    app.procedure(scope, &Defining { slug, expected, role: None }).await
}

struct Defining {
    slug: String,
    expected: Expected,
    /// What it is to be; none to remove it.
    role: Option<NewRole>,
}

impl Procedure for Defining {
    const CONTEXT: Context = Context::Accounts;
    type Output = Done;

    fn name(&self) -> &'static str {
        if self.role.is_some() { "define_role" } else { "remove_role" }
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Done), Error> {
        let known = table::roles::all(&mut *conn, scope.tenant).await?;
        let found = known.iter().find(|role| role.slug == self.slug).map(|role| role.role_id);
        let (id, command) = match (&self.role, found) {
            (Some(_), None) if known.len() >= MOST_ROLES => {
                let detail = format!("a shop defines at most {MOST_ROLES} roles; remove one first");
                return Err(Rejection::of(Problem::new(Code::TooManyRoles).detail(detail)).into());
            }
            (Some(role), found) => {
                let id = found.unwrap_or_else(|| scope.clock.id());
                (id, RoleCommand::Define(role.clone().defined(id).map_err(Rejection::invalid)?))
            }
            (None, found) => (found.ok_or_else(unknown)?, RoleCommand::Remove),
        };
        let mut roles = Role::load(conn, scope, &[id]).await?;
        let done = roles.carry_out(id, self.expected, |roles| Ok(Role::decide(roles.state(id), command)?))?;
        roles.append(conn, scope).await?;
        Ok((done.change, done))
    }
}

fn unknown() -> Rejection {
    Rejection::not_found("the shop has no such role")
}

/// A role as it is granted: one that every shop has, by its name, or one of the shop's, by its slug. Administrators are made
/// by administrators.
pub(super) async fn granted(
    conn: &mut PgConnection,
    scope: &Scope,
    name: &str,
    by_admin: bool,
) -> Result<String, Error> {
    if let Ok(built_in) = name.parse::<BuiltIn>() {
        if built_in == BuiltIn::Admin && !by_admin {
            let detail = "administrators of the installation are made by administrators";
            return Err(Rejection::of(Problem::new(Code::Forbidden).detail(detail)).into());
        }
        return Ok(built_in.to_string());
    }
    let id = id_of(conn, scope, name).await?.ok_or_else(unknown)?;
    Ok(id.to_string())
}

async fn id_of(conn: &mut PgConnection, scope: &Scope, slug: &str) -> Result<Option<Uuid>, Failure> {
    let known = table::roles::all(conn, scope.tenant).await?;
    Ok(known.into_iter().find(|role| role.slug == slug).map(|role| role.role_id))
}

/// Somebody who is in other groups of customers.
pub(in super::super) struct Grouping {
    pub(in super::super) user: Uuid,
    pub(in super::super) groups: BTreeSet<String>,
    pub(in super::super) expected: Expected,
}

impl Procedure for Grouping {
    const CONTEXT: Context = Context::Accounts;
    type Output = Done;

    fn name(&self) -> &'static str {
        "set_groups"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Done), Error> {
        let mut loaded = Loaded::of(conn, scope, self.user).await?;
        loaded.user()?;
        let done = loaded.decide(self.expected, UserCommand::SetGroups(self.groups.clone()))?;
        loaded.write(conn, scope).await?;
        Ok((done.change, done))
    }
}

/// Somebody who gets a role, or has it no longer.
#[derive(Debug, Clone)]
pub(in super::super) struct Grant {
    pub(in super::super) user: Uuid,
    pub(in super::super) role: String,
    pub(in super::super) expected: Expected,
    /// Whether an administrator of the installation asks for it.
    pub(in super::super) by_admin: bool,
    /// Whether the role is taken away.
    pub(in super::super) revoke: bool,
}

impl Procedure for Grant {
    const CONTEXT: Context = Context::Accounts;
    type Output = Done;

    fn name(&self) -> &'static str {
        if self.revoke { "revoke_role" } else { "grant_role" }
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Done), Error> {
        let role = granted(conn, scope, &self.role, self.by_admin).await?;
        let mut loaded = Loaded::of(conn, scope, self.user).await?;
        loaded.user()?;
        let command = if self.revoke { UserCommand::RevokeRole(role) } else { UserCommand::GrantRole(role) };
        let done = loaded.decide(self.expected, command)?;
        loaded.write(conn, scope).await?;
        Ok((done.change, done))
    }
}
