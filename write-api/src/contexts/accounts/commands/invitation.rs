//! Invitations: an owner asks somebody by mail to have an account, with a role.

use super::{
    Loaded, code_not_valid, digest,
    letters::{Post, text::Occasion},
    roles,
    sign_up::Newcomer,
    signing,
};
use crate::{
    contexts::accounts::{
        domain::{Email, UserCommand},
        table::{self, Code, Purpose},
    },
    pipeline::{App, Change, Error, Expected, Rejection, Scope, procedure::Procedure},
};
use schemas::{Uuid, contexts::Context};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use std::sync::Arc;

/// Minutes that an invitation is good: a week.
const MINUTES: u32 = 7 * 24 * 60;

/// What an invitation brings along.
#[derive(Serialize, Deserialize)]
struct Then {
    /// As it is granted.
    role: Option<String>,
}

/// What somebody is invited to.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Invited<'a> {
    pub(in super::super) email: &'a Email,
    /// A role, by its name.
    pub(in super::super) role: Option<&'a str>,
    /// The page that takes the code.
    pub(in super::super) return_to: Option<&'a str>,
    /// Whether an administrator of the installation asks for it.
    pub(in super::super) by_admin: bool,
    /// Whether the code is sent by mail; the caller learns it otherwise.
    pub(in super::super) by_mail: bool,
}

/// Invites somebody. Gives the code if no mail is sent.
pub(in super::super) async fn invite(app: &App, scope: &Scope, invited: Invited<'_>) -> Result<Option<String>, Error> {
    let post = Post::of(app, scope, invited.return_to).await?;
    let parts = Arc::clone(&post.parts);
    signing::current(app, scope, &parts, &post.key).await?;
    let newcomer = Newcomer::new(scope, &post, invited.email)?;
    let code = app.procedure(scope, &Invite { invited, newcomer, post }).await?;
    parts.mails.notify_one();
    Ok(code)
}

struct Invite<'a> {
    invited: Invited<'a>,
    newcomer: Newcomer<'a>,
    post: Post,
}

impl Procedure for Invite<'_> {
    const CONTEXT: Context = Context::Accounts;
    type Output = Option<String>;

    fn name(&self) -> &'static str {
        "invite"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Option<String>), Error> {
        let Invited { role, by_admin, by_mail, .. } = self.invited;
        let role = match role {
            Some(role) => Some(roles::granted(conn, scope, role, by_admin).await?),
            None => None,
        };
        let known = table::user_of_email(&mut *conn, scope.tenant, &self.newcomer.digest).await?;
        let (user, change) = match known {
            Some(user) => (user, Change::Unchanged),
            None => {
                self.newcomer.register(conn, scope).await?;
                (self.newcomer.user, Change::Created)
            }
        };
        let letter = self.post.letter(Occasion::Invitation, self.newcomer.email.as_str());
        let whose = (Purpose::Invitation, user);
        let (letter, code) = self.post.with_code(scope, letter, whose, MINUTES, &Then { role })?;
        if by_mail {
            self.post.send(conn, scope, Some(user), &letter, Some(&code)).await?;
            return Ok((change, None));
        }
        code.keep(conn, scope.tenant).await?;
        Ok((change, letter.code))
    }
}

/// Takes an invitation; gives who has, and the version of the account.
pub(in super::super) async fn accept(
    app: &App,
    scope: &Scope,
    code: &str,
    password: Option<&str>,
) -> Result<(Uuid, u64), Error> {
    let post = Post::of(app, scope, None).await?;
    let hash = match password {
        None => None,
        Some(password) => {
            post.parts.hashing.check(password, None).await?;
            Some(post.parts.hashing.hash(password).await?)
        }
    };
    app.procedure(scope, &Accept { digest: digest(code), hash, post }).await
}

struct Accept {
    digest: String,
    hash: Option<String>,
    post: Post,
}

impl Procedure for Accept {
    const CONTEXT: Context = Context::Accounts;
    type Output = (Uuid, u64);

    fn name(&self) -> &'static str {
        "accept_invitation"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, (Uuid, u64)), Error> {
        let code = Code::take(&mut *conn, scope.tenant, &self.digest, scope.now).await?;
        let code = code.filter(|code| code.purpose == Purpose::Invitation).ok_or_else(code_not_valid)?;
        let then: Then = self.post.key.open(code.purpose.as_str(), &code.sealed)?;
        let mut loaded = Loaded::of(conn, scope, code.user).await?;
        loaded.user().map_err(|_| code_not_valid())?;
        // Who has a password keeps it: the code proves the address, and no more.
        if table::password_of(&mut *conn, scope.tenant, code.user).await?.is_none() {
            let detail = "who has no account yet chooses a password";
            let hash = self.hash.as_deref().ok_or_else(|| Rejection::invalid_at("/password", detail))?;
            table::keep_password(&mut *conn, scope.tenant, code.user, hash).await?;
        }
        let mut done = loaded.decide(Expected::Any, UserCommand::VerifyEmail)?;
        if let Some(role) = then.role {
            done = loaded.decide(Expected::Any, UserCommand::GrantRole(role))?;
        }
        loaded.write(conn, scope).await?;
        Ok((done.change, (done.id, done.version)))
    }
}
