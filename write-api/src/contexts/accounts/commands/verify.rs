//! Codes that come back: an address is proved.

use super::{
    Loaded, code_not_valid, digest, end_sessions,
    letters::{Post, text::Occasion},
    person_key, sign_up,
};
use crate::{
    contexts::accounts::{
        domain::UserCommand,
        table::{self, Code, Purpose},
    },
    pipeline::{App, Change, Error, Expected, Scope, procedure::Procedure},
};
use schemas::{Uuid, contexts::Context, events::accounts::SessionEnd};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use std::sync::Arc;

/// What a code for another address brings along.
#[derive(Serialize, Deserialize)]
pub(in super::super) struct NewEmail {
    /// The address.
    pub(in super::super) email: String,
    /// By which it is found.
    pub(in super::super) digest: String,
    /// The session that asked for it, which goes on.
    pub(in super::super) session: Uuid,
}

struct Verify {
    digest: String,
    post: Post,
}

/// Uses up a code; gives whose address is proved, and the version of the account.
pub(in super::super) async fn verify(app: &App, scope: &Scope, code: &str) -> Result<(Uuid, u64), Error> {
    let post = Post::of(app, scope, None).await?;
    let parts = Arc::clone(&post.parts);
    let done = app.procedure(scope, &Verify { digest: digest(code), post }).await?;
    parts.mails.notify_one();
    Ok(done)
}

impl Procedure for Verify {
    const CONTEXT: Context = Context::Accounts;
    type Output = (Uuid, u64);

    fn name(&self) -> &'static str {
        "verify_email"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, (Uuid, u64)), Error> {
        let code = Code::take(&mut *conn, scope.tenant, &self.digest, scope.now).await?.ok_or_else(code_not_valid)?;
        let mut loaded = Loaded::of(conn, scope, code.user).await?;
        loaded.user().map_err(|_| code_not_valid())?;
        let done = match code.purpose {
            // Whoever has proved the address in another way has a password of their own.
            Purpose::SignUp if loaded.user()?.is_verified => return Err(code_not_valid().into()),
            Purpose::SignUp => {
                let then: sign_up::Then = self.post.key.open(code.purpose.as_str(), &code.sealed)?;
                table::keep_password(&mut *conn, scope.tenant, code.user, &then.hash).await?;
                loaded.decide(Expected::Any, UserCommand::VerifyEmail)?
            }
            Purpose::NewEmail => self.move_to(conn, scope, &mut loaded, &code).await?,
            // They need a password, too: they are none here, and stay good.
            Purpose::Reset | Purpose::Invitation => return Err(code_not_valid().into()),
        };
        loaded.write(conn, scope).await?;
        Ok((done.change, (done.id, done.version)))
    }
}

impl Verify {
    /// The account has another address from here on. Whoever had the old one is told, there.
    async fn move_to(
        &self,
        conn: &mut PgConnection,
        scope: &Scope,
        loaded: &mut Loaded,
        code: &Code,
    ) -> Result<crate::pipeline::Done, Error> {
        let new: NewEmail = self.post.key.open(code.purpose.as_str(), &code.sealed)?;
        if table::user_of_email(&mut *conn, scope.tenant, &new.digest).await?.is_some_and(|user| user != code.user) {
            // Somebody has signed up with it meanwhile.
            return Err(code_not_valid().into());
        }
        let key = person_key(conn, scope, &self.post.parts, code.user).await?;
        let old: String = key.open("email", &loaded.user()?.email)?;
        let done = loaded.decide(Expected::Any, UserCommand::ChangeEmail(key.seal("email", &new.email)?))?;
        table::move_email(&mut *conn, scope.tenant, &new.digest, code.user).await?;
        let letter = self.post.letter(Occasion::AddressChanged, &old);
        self.post.send(conn, scope, Some(code.user), &letter, None).await?;
        end_sessions(conn, scope, code.user, SessionEnd::CredentialsChanged, Some(new.session)).await?;
        Ok(done)
    }
}
