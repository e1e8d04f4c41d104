//! Signing up. Whether the address has an account is told to its owner alone, by mail.

use super::{
    Loaded,
    letters::{Post, text::Occasion},
    signing,
};
use crate::{
    contexts::accounts::{
        domain::{Email, UserCommand},
        port::keyring::PersonKey,
        table::{self, Purpose},
    },
    pipeline::{App, Change, Error, Expected, Rejection, Scope, procedure::Procedure},
};
use schemas::{Uuid, contexts::Context, events::accounts::UserRegistered};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

/// Minutes that the code for a new account is good.
const MINUTES: u32 = 24 * 60;

/// What a code brings along: the password takes effect with the address.
#[derive(Serialize, Deserialize)]
pub(in super::super) struct Then {
    pub(in super::super) hash: String,
}

/// Somebody wants an account.
struct SignUp<'a> {
    email: &'a Email,
    digest: String,
    /// The id of somebody new, their key, and the form it is kept in.
    user: Uuid,
    key: PersonKey,
    wrapped: String,
    then: Then,
    post: Post,
}

/// Signs somebody up. An address that has an account gets a mail that says so.
pub(in super::super) async fn sign_up(
    app: &App,
    scope: &Scope,
    email: &Email,
    password: &str,
    return_to: Option<&str>,
) -> Result<(), Error> {
    let parts = app.accounts.parts().map_err(Rejection::of)?;
    parts.hashing.check(password, Some(email.as_str())).await?;
    let post = Post::of(app, scope, return_to).await?;
    // Once there are shoppers there is a key for their tokens: every node knows it before the first comes.
    signing::current(app, scope, &parts, &post.key).await?;
    let then = Then { hash: parts.hashing.hash(password).await? };
    let user = scope.clock.id();
    let (key, wrapped) = parts.keyring.new_person(scope.tenant, user)?;
    let digest = post.key.of_email(&email.folded());
    app.procedure(scope, &SignUp { email, digest, user, key, wrapped, then, post }).await?;
    parts.mails.notify_one();
    Ok(())
}

impl Procedure for SignUp<'_> {
    const CONTEXT: Context = Context::Accounts;
    type Output = ();

    fn name(&self) -> &'static str {
        "sign_up"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, ()), Error> {
        let known = table::user_of_email(&mut *conn, scope.tenant, &self.digest).await?;
        let Some(user) = known else {
            self.register(conn, scope).await?;
            return Ok((Change::Created, ()));
        };
        let is_verified = Loaded::of(conn, scope, user).await?.user()?.is_verified;
        if is_verified {
            let letter = self.post.letter(Occasion::AddressTaken, self.email.as_str());
            self.post.send(conn, scope, Some(user), &letter, None).await?;
        } else {
            self.ask(conn, scope, user).await?;
        }
        Ok((Change::Unchanged, ()))
    }
}

impl SignUp<'_> {
    async fn register(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(), Error> {
        let email = self.key.seal("email", &self.email.as_str())?;
        let registered = UserRegistered { user_id: self.user, email };
        let mut loaded = Loaded::of(conn, scope, self.user).await?;
        loaded.decide(Expected::Any, UserCommand::Register(registered))?;
        loaded.write(conn, scope).await?;
        table::claim_email(&mut *conn, scope.tenant, &self.digest, self.user).await?;
        table::keep_person_key(&mut *conn, scope.tenant, self.user, &self.wrapped).await?;
        self.ask(conn, scope, self.user).await
    }

    /// Asks the owner of the address whether it was them.
    async fn ask(&self, conn: &mut PgConnection, scope: &Scope, user: Uuid) -> Result<(), Error> {
        let letter = self.post.letter(Occasion::VerifyAddress, self.email.as_str());
        let (letter, code) = self.post.with_code(scope, letter, (Purpose::SignUp, user), MINUTES, &self.then)?;
        Ok(self.post.send(conn, scope, Some(user), &letter, Some(&code)).await?)
    }
}
