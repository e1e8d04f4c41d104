//! Linking an account to what an identity provider knows of its owner, and no longer doing so.

use super::{
    Loaded,
    oidc::{Proved, Return, prove},
};
use crate::{
    contexts::accounts::{
        domain::UserCommand,
        table::{self, identities},
    },
    pipeline::{App, Change, Done, Error, Expected, Rejection, Scope, procedure::Procedure},
};
use access::Customer;
use schemas::{
    Uuid,
    contexts::Context,
    problem::{Code, Problem},
};
use sqlx::PgConnection;

/// Links the account of somebody who has come back from a provider. Another identity there takes the place of the one before.
pub(in super::super) async fn link(app: &App, scope: &Scope, customer: Customer, back: &Return) -> Result<Done, Error> {
    let proved = prove(app, scope, back, Some(customer.user)).await?;
    app.procedure(scope, &Link { proved, user: customer.user }).await
}

struct Link {
    proved: Proved,
    user: Uuid,
}

impl Procedure for Link {
    const CONTEXT: Context = Context::Accounts;
    type Output = Done;

    fn name(&self) -> &'static str {
        "link_identity"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Done), Error> {
        let Proved { provider, digest, .. } = &self.proved;
        let owner = identities::user_of_identity(&mut *conn, scope.tenant, provider, digest).await?;
        if owner.is_some_and(|owner| owner != self.user) {
            let detail = "unlink it there first, or sign in to that account";
            return Err(Rejection::of(Problem::new(Code::IdentityTaken).detail(detail)).into());
        }
        let mut loaded = Loaded::of(conn, scope, self.user).await?;
        loaded.user()?;
        let done = loaded.decide(Expected::Any, UserCommand::LinkIdentity(provider.clone()))?;
        loaded.write(conn, scope).await?;
        identities::keep_identity(conn, scope.tenant, provider, digest, self.user).await?;
        Ok((done.change, done))
    }
}

/// Somebody does not sign in by a provider any more.
pub(in super::super) struct Unlink {
    pub(in super::super) customer: Customer,
    pub(in super::super) provider: String,
}

impl Procedure for Unlink {
    const CONTEXT: Context = Context::Accounts;
    type Output = Done;

    fn name(&self) -> &'static str {
        "unlink_identity"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Done), Error> {
        let (user, provider) = (self.customer.user, self.provider.clone());
        let mut loaded = Loaded::of(conn, scope, user).await?;
        loaded.user()?;
        let has_password = table::password_of(&mut *conn, scope.tenant, user).await?.is_some();
        let done = loaded.decide(Expected::Any, UserCommand::UnlinkIdentity { provider, has_password })?;
        loaded.write(conn, scope).await?;
        identities::forget_identity(conn, scope.tenant, &self.provider, user).await?;
        Ok((done.change, done))
    }
}
