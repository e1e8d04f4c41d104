//! Linking an account to what an identity provider knows of its owner, and no longer doing so.

use super::{
    Loaded,
    letters::{Post, text::Occasion},
    oidc::{Proved, Return, prove},
    person_key,
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
use std::sync::Arc;

/// Links the account of somebody who has come back from a provider, and tells them by mail. Another identity there takes the
/// place of the one before.
pub(in super::super) async fn link(app: &App, scope: &Scope, customer: Customer, back: &Return) -> Result<Done, Error> {
    let proved = prove(app, scope, back, Some(customer.user)).await?;
    let post = Post::of(app, scope, None).await?;
    let parts = Arc::clone(&post.parts);
    let done = app.procedure(scope, &Link { proved, user: customer.user, post }).await?;
    parts.mails.notify_one();
    Ok(done)
}

struct Link {
    proved: Proved,
    user: Uuid,
    post: Post,
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
        let email = loaded.user()?.email.clone();
        let done = loaded.decide(Expected::Any, UserCommand::LinkIdentity(provider.clone()))?;
        loaded.write(conn, scope).await?;
        identities::keep_identity(&mut *conn, scope.tenant, provider, digest, self.user).await?;
        let email: String = person_key(conn, scope, &self.post.parts, self.user).await?.open("email", &email)?;
        let letter = self.post.letter(Occasion::IdentityLinked, &email);
        self.post.send(conn, scope, Some(self.user), &letter, None).await?;
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
