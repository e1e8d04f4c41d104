//! Signing up. Whether the address has an account is told to its owner alone, by mail.

use super::{
    Loaded,
    letters::{Letter, Post, Refused, text::Occasion},
    signing,
};
use crate::{
    contexts::accounts::{
        domain::{Email, UserCommand},
        port::keyring::PersonKey,
        table::{self, Code, Purpose, WaitingMail},
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

/// Somebody wants an account.
struct SignUp<'a> {
    email: &'a Email,
    digest: String,
    /// The id of somebody new, their key, and the form it is kept in.
    user: Uuid,
    key: PersonKey,
    wrapped: String,
    then: Then,
    post: Post<'a>,
}

/// Signs somebody up. An address that has an account gets a mail that says so.
pub(in super::super) async fn sign_up(
    app: &App,
    scope: &Scope,
    email: &Email,
    password: &str,
    return_to: Option<&str>,
) -> Result<(), Refused> {
    let parts = app.accounts.parts().map_err(Rejection::of)?;
    parts.hashing.check(password, Some(email.as_str())).await?;
    let shop = parts.keyring.shop(&app.database, scope.tenant).await?;
    let post = Post::of(app, scope, &parts, &shop, return_to).await?;
    // Once there are shoppers there is a key for their tokens: every node knows it before the first comes.
    signing::current(app, scope, &parts, &shop).await?;
    let then = Then { hash: parts.hashing.hash(password).await? };
    let user = scope.clock.id();
    let (key, wrapped) = parts.keyring.new_person(scope.tenant, user)?;
    let digest = shop.of_email(&email.folded());
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
            send(conn, self.post.post(scope, Some(user), &letter)?, None, scope).await?;
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
        let (letter, code): (Letter, Code) =
            self.post.with_code(scope, letter, (Purpose::SignUp, user), MINUTES, &self.then)?;
        Ok(send(conn, self.post.post(scope, Some(user), &letter)?, Some(&code), scope).await?)
    }
}

/// Keeps a mail and its code. Without the mail, there is no code either, and the one before stays good.
pub(in super::super) async fn send(
    conn: &mut PgConnection,
    mail: Option<WaitingMail>,
    code: Option<&Code>,
    scope: &Scope,
) -> Result<(), Failure> {
    let Some(mail) = mail else { return Ok(()) };
    if let Some(code) = code {
        code.keep(conn, scope.tenant).await?;
    }
    mail.keep(conn).await
}
