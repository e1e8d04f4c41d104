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
    pipeline::{App, Change, Error, Expected, Failure, Rejection, Scope, procedure::Procedure},
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

/// Somebody who has no account yet.
pub(super) struct Newcomer<'a> {
    pub(super) email: &'a Email,
    pub(super) digest: String,
    /// The id they get.
    pub(super) user: Uuid,
    key: PersonKey,
    /// The form that the key is kept in.
    wrapped: String,
}

impl<'a> Newcomer<'a> {
    /// With an id and a key that are new.
    pub(super) fn new(scope: &Scope, post: &Post, email: &'a Email) -> Result<Self, Failure> {
        let user = scope.clock.id();
        let (key, wrapped) = post.parts.keyring.new_person(scope.tenant, user)?;
        Ok(Self { email, digest: post.key.of_email(&email.folded()), user, key, wrapped })
    }

    /// Gives them an account, with an address that is not proved.
    pub(super) async fn register(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(), Error> {
        let email = self.key.seal("email", &self.email.as_str())?;
        let registered = UserRegistered { user_id: self.user, email };
        let mut loaded = Loaded::of(conn, scope, self.user).await?;
        loaded.decide(Expected::Any, UserCommand::Register(registered))?;
        loaded.write(conn, scope).await?;
        table::claim_email(&mut *conn, scope.tenant, &self.digest, self.user).await?;
        Ok(table::keep_person_key(conn, scope.tenant, self.user, &self.wrapped).await?)
    }
}

/// Somebody wants an account.
struct SignUp<'a> {
    newcomer: Newcomer<'a>,
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
    let newcomer = Newcomer::new(scope, &post, email)?;
    app.procedure(scope, &SignUp { newcomer, then, post }).await?;
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
        let Newcomer { email, digest, user: new, .. } = &self.newcomer;
        let known = table::user_of_email(&mut *conn, scope.tenant, digest).await?;
        let Some(user) = known else {
            self.newcomer.register(conn, scope).await?;
            self.ask(conn, scope, *new).await?;
            return Ok((Change::Created, ()));
        };
        let is_verified = Loaded::of(conn, scope, user).await?.user()?.is_verified;
        if is_verified {
            let letter = self.post.letter(Occasion::AddressTaken, email.as_str());
            self.post.send(conn, scope, Some(user), &letter, None).await?;
        } else {
            self.ask(conn, scope, user).await?;
        }
        Ok((Change::Unchanged, ()))
    }
}

impl SignUp<'_> {
    /// Asks the owner of the address whether it was them.
    async fn ask(&self, conn: &mut PgConnection, scope: &Scope, user: Uuid) -> Result<(), Error> {
        let letter = self.post.letter(Occasion::VerifyAddress, self.newcomer.email.as_str());
        let (letter, code) = self.post.with_code(scope, letter, (Purpose::SignUp, user), MINUTES, &self.then)?;
        Ok(self.post.send(conn, scope, Some(user), &letter, Some(&code)).await?)
    }
}
