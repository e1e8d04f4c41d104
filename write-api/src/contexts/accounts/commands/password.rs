//! Another password: by a code that was sent, or by the one before.

use super::{
    Loaded, code_not_valid, digest, end_sessions,
    letters::{Post, text::Occasion},
    person_key,
};
use crate::{
    contexts::accounts::{
        domain::{Email, UserCommand},
        table::{self, Code, Purpose},
    },
    pipeline::{App, Change, Error, Expected, Scope, procedure::Procedure},
};
use access::Customer;
use schemas::{Uuid, contexts::Context, events::accounts::SessionEnd};
use sqlx::PgConnection;
use std::sync::Arc;

/// Minutes that a code for another password is good.
const MINUTES: u32 = 60;

/// Sends a code to an address that has an account. Whether it has one is told nowhere.
pub(in super::super) async fn ask(
    app: &App,
    scope: &Scope,
    email: &Email,
    return_to: Option<&str>,
) -> Result<(), Error> {
    let post = Post::of(app, scope, return_to).await?;
    let parts = Arc::clone(&post.parts);
    let digest = post.key.of_email(&email.folded());
    app.procedure(scope, &AskReset { email, digest, post }).await?;
    parts.mails.notify_one();
    Ok(())
}

struct AskReset<'a> {
    email: &'a Email,
    digest: String,
    post: Post,
}

impl Procedure for AskReset<'_> {
    const CONTEXT: Context = Context::Accounts;
    type Output = ();

    fn name(&self) -> &'static str {
        "ask_password_reset"
    }

    /// An address that nobody has gets a mail, too, which says so: it costs as much, and helps who has forgotten which one
    /// they signed up with.
    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, ()), Error> {
        let user = table::user_of_email(&mut *conn, scope.tenant, &self.digest).await?;
        let to = self.email.as_str();
        let (letter, code) = match user {
            None => (self.post.letter(Occasion::NoAccount, to), None),
            Some(user) => {
                let letter = self.post.letter(Occasion::ResetPassword, to);
                let (letter, code) = self.post.with_code(scope, letter, (Purpose::Reset, user), MINUTES, &())?;
                (letter, Some(code))
            }
        };
        self.post.send(conn, scope, user, &letter, code.as_ref()).await?;
        Ok((Change::Unchanged, ()))
    }
}

/// How somebody proves that they may set another password.
enum By {
    /// By the digest of a code that was sent to their address.
    Code(String),
    /// They are signed in, and the password before is checked.
    Session(Customer),
}

struct SetPassword {
    by: By,
    hash: String,
    post: Post,
}

/// Sets another password by a code. All sessions end; the address is proved by it, too.
pub(in super::super) async fn reset(app: &App, scope: &Scope, code: &str, password: &str) -> Result<Uuid, Error> {
    set(app, scope, By::Code(digest(code)), password).await
}

/// Sets another password for somebody who is signed in. Their other sessions end.
pub(in super::super) async fn change(
    app: &App,
    scope: &Scope,
    customer: Customer,
    password: &str,
) -> Result<Uuid, Error> {
    set(app, scope, By::Session(customer), password).await
}

async fn set(app: &App, scope: &Scope, by: By, password: &str) -> Result<Uuid, Error> {
    let post = Post::of(app, scope, None).await?;
    let parts = Arc::clone(&post.parts);
    parts.hashing.check(password, None).await?;
    let hash = parts.hashing.hash(password).await?;
    let user = app.procedure(scope, &SetPassword { by, hash, post }).await?;
    parts.mails.notify_one();
    Ok(user)
}

impl Procedure for SetPassword {
    const CONTEXT: Context = Context::Accounts;
    type Output = Uuid;

    fn name(&self) -> &'static str {
        match self.by {
            By::Code(_) => "reset_password",
            By::Session(_) => "change_password",
        }
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Uuid), Error> {
        let (user, session) = match &self.by {
            By::Code(digest) => {
                let code = Code::take(&mut *conn, scope.tenant, digest, scope.now).await?;
                (code.filter(|code| code.purpose == Purpose::Reset).ok_or_else(code_not_valid)?.user, None)
            }
            By::Session(customer) => (customer.user, Some(customer.session)),
        };
        let mut loaded = Loaded::of(conn, scope, user).await?;
        let email = loaded.user()?.email.clone();
        if session.is_none() {
            loaded.decide(Expected::Any, UserCommand::VerifyEmail)?;
        }
        loaded.decide(Expected::Any, UserCommand::ChangePassword)?;
        loaded.write(conn, scope).await?;
        table::keep_password(&mut *conn, scope.tenant, user, &self.hash).await?;
        // Codes that bring another password along are none any more.
        table::forget_codes(&mut *conn, scope.tenant, user).await?;
        end_sessions(conn, scope, user, SessionEnd::CredentialsChanged, session).await?;
        let email: String = person_key(conn, scope, &self.post.parts, user).await?.open("email", &email)?;
        let letter = self.post.letter(Occasion::PasswordChanged, &email);
        self.post.send(conn, scope, Some(user), &letter, None).await?;
        Ok((Change::Changed, user))
    }
}
