//! Signing in: a session begins.

use super::{missing, secret, sign_in_failed, sign_up, signing};
use crate::{
    contexts::accounts::{
        domain::{Email, Session, SessionCommand},
        port::{Parts, attempts::TooEarly, keyring::ShopKey, signing::Signing},
        table::{self, Purpose, RefreshToken},
    },
    domain::Aggregate,
    pipeline::{App, Batch, Change, Error, Expected, Failure, Rejection, Scope, procedure::Procedure},
};
use access::{Customer, customer::TOKEN_SECONDS, tokens};
use schemas::{
    TimeDelta, Timestamp, Uuid,
    contexts::Context,
    events::accounts::SessionStarted,
    problem::{Code, Problem},
    token::Token,
};
use sqlx::PgConnection;
use std::net::IpAddr;

/// Days after which a session ends, however busy it is.
const SESSION_DAYS: i64 = 90;
/// Days that a refresh token is good: so long may somebody stay away.
const REFRESH_DAYS: i64 = 30;
/// What refresh tokens begin with, so that one that leaked is found by those who look for such.
const PREFIX: &str = "souk_refresh_";

/// What somebody gets who has signed in.
#[derive(Debug)]
pub(in super::super) struct Tokens {
    pub(in super::super) access_token: String,
    /// Seconds until it is over.
    pub(in super::super) expires_in: i64,
    pub(in super::super) refresh_token: String,
    pub(in super::super) user: Uuid,
    pub(in super::super) session: Uuid,
    /// For reads that must see the session; none if nothing of it changed.
    pub(in super::super) token: Option<Token>,
}

/// Why nobody is signed in.
#[derive(Debug)]
pub(in super::super) enum Refused {
    /// Too many attempts have failed from there; so many seconds are left.
    TooEarly(u32),
    /// Anything else.
    Error(Error),
}

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Signs somebody in by address and password. It takes as long for an address that nobody has.
pub(in super::super) async fn sign_in(
    app: &App,
    scope: &Scope,
    email: &Email,
    password: &str,
    address: Option<IpAddr>,
) -> Result<Tokens, Refused> {
    let parts = app.accounts.parts().map_err(Rejection::of)?;
    let shop = parts.keyring.shop(&app.database, scope.tenant).await?;
    let digest = shop.of_email(&email.folded());
    let user = table::user_of_email(&mut *app.database.of_shop(scope.tenant).await?, scope.tenant, &digest).await?;
    let who = (scope.tenant, digest, address);
    parts.attempts.check(&who, scope.now).await.map_err(|TooEarly(seconds)| Refused::TooEarly(seconds))?;
    let hash = match user {
        Some(user) => hash_of(app, scope, &shop, user).await?,
        None => None,
    };
    let is_right = parts.hashing.is(password, hash).await?;
    let Some(user) = user.filter(|_| is_right) else {
        parts.attempts.failed(who, scope.now).await;
        return Err(sign_in_failed().into());
    };
    parts.attempts.succeeded(&who).await;
    let signing = signing::current(app, scope, &parts, &shop).await?;
    Ok(start(app, scope, &signing, user).await?)
}

/// The hash of somebody's password; of somebody who has not proved the address yet, of the one that they will have then.
async fn hash_of(app: &App, scope: &Scope, shop: &ShopKey, user: Uuid) -> Result<Option<String>, Error> {
    let mut transaction = app.database.of_shop(scope.tenant).await?;
    if let Some(hash) = table::password_of(&mut *transaction, scope.tenant, user).await? {
        return Ok(Some(hash));
    }
    let sealed = table::Code::pending(&mut *transaction, scope.tenant, user, Purpose::SignUp, scope.now).await?;
    let then: Option<sign_up::Then> = sealed.map(|sealed| shop.open(Purpose::SignUp.as_str(), &sealed)).transpose()?;
    Ok(then.map(|then| then.hash))
}

/// Whether a password is the one of somebody who is signed in already.
pub(in super::super) async fn prove(
    app: &App,
    scope: &Scope,
    parts: &Parts,
    user: Uuid,
    password: &str,
    address: Option<IpAddr>,
) -> Result<(), Refused> {
    let who = (scope.tenant, user.to_string(), address);
    parts.attempts.check(&who, scope.now).await.map_err(|TooEarly(seconds)| Refused::TooEarly(seconds))?;
    let hash = table::password_of(&mut *app.database.of_shop(scope.tenant).await?, scope.tenant, user).await?;
    if !parts.hashing.is(password, hash).await? {
        parts.attempts.failed(who, scope.now).await;
        return Err(Rejection::of(Problem::new(Code::WrongPassword)).into());
    }
    parts.attempts.succeeded(&who).await;
    Ok(())
}

/// Begins a session of somebody.
pub(super) async fn start(app: &App, scope: &Scope, signing: &Signing, user: Uuid) -> Result<Tokens, Error> {
    let (refresh_token, digest) = secret(scope, PREFIX);
    let session = scope.clock.id();
    let expires_at = scope.now + TimeDelta::days(SESSION_DAYS);
    let started = SessionStarted { session_id: session, user_id: user, expires_at };
    let refresh = next_refresh(digest, session, scope.now, expires_at);
    let version = app.procedure(scope, &Start { started, refresh }).await?;
    let access_token = access_token(scope, signing, user, session)?;
    let token = Some(Token::of(Context::Accounts, session, version));
    Ok(Tokens { access_token, expires_in: TOKEN_SECONDS, refresh_token, user, session, token })
}

fn access_token(scope: &Scope, signing: &Signing, user: Uuid, session: Uuid) -> Result<String, Failure> {
    let claims = Customer { tenant: scope.tenant, user, session }.claims(scope.now);
    tokens::sign(&signing.key, signing.kid, &claims).map_err(|error| signing::of_token(&error))
}

/// A refresh token, which ends with its session at the latest.
fn next_refresh(digest: String, session: Uuid, now: Timestamp, session_ends: Timestamp) -> RefreshToken {
    RefreshToken { digest, session, expires_at: session_ends.min(now + TimeDelta::days(REFRESH_DAYS)) }
}

struct Start {
    started: SessionStarted,
    refresh: RefreshToken,
}

impl Procedure for Start {
    const CONTEXT: Context = Context::Accounts;
    /// The session's version.
    type Output = u64;

    fn name(&self) -> &'static str {
        "sign_in"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, u64), Error> {
        let loaded = super::Loaded::of(conn, scope, self.started.user_id).await?;
        if !loaded.user()?.is_verified {
            // Only who knows the password learns it.
            let detail = "use the code that was sent to the address, or sign up again for another one";
            return Err(Rejection::of(Problem::new(Code::EmailNotVerified).detail(detail)).into());
        }
        let (id, mut sessions) = (self.started.session_id, Batch::<Session>::default());
        let start = SessionCommand::Start(self.started.clone());
        let done = sessions.carry_out(id, Expected::Any, |sessions| Ok(Session::decide(sessions.state(id), start)?))?;
        sessions.append(conn, scope).await?;
        self.refresh.keep(conn, scope.tenant).await?;
        Ok((done.change, done.version))
    }
}

/// Gives other tokens for a refresh token, which works once: one that comes again ends its session.
pub(in super::super) async fn refresh(app: &App, scope: &Scope, refresh_token: &str) -> Result<Tokens, Error> {
    let parts = app.accounts.parts().map_err(Rejection::of)?;
    let shop = parts.keyring.shop(&app.database, scope.tenant).await?;
    let signing = signing::current(app, scope, &parts, &shop).await?;
    let (next, digest) = secret(scope, PREFIX);
    let rotate = Rotate { old: super::digest(refresh_token), digest };
    let (session, user) = app.procedure(scope, &rotate).await?.ok_or_else(session_ended)?;
    let access_token = access_token(scope, &signing, user, session)?;
    Ok(Tokens { access_token, expires_in: TOKEN_SECONDS, refresh_token: next, user, session, token: None })
}

/// The refresh token is none, or none any more.
fn session_ended() -> Rejection {
    Rejection::of(Problem::new(Code::SessionEnded))
}

struct Rotate {
    old: String,
    digest: String,
}

impl Procedure for Rotate {
    const CONTEXT: Context = Context::Accounts;
    /// The session and whose it is; none if it has ended, which has to be kept.
    type Output = Option<(Uuid, Uuid)>;

    fn name(&self) -> &'static str {
        "refresh_session"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Self::Output), Error> {
        let taken = RefreshToken::take(&mut *conn, scope.tenant, &self.old, scope.now).await?;
        let Some((id, was_used)) = taken else { return Ok((Change::Unchanged, None)) };
        let mut sessions = <Session as crate::pipeline::Stored>::load(conn, scope, &[id]).await?;
        let session = sessions.state(id).cloned().ok_or_else(missing)?;
        if session.is_over || session.expires_at <= scope.now {
            return Ok((Change::Unchanged, None));
        }
        if was_used {
            tracing::warn!(session.id = %id, "a refresh token came a second time: its session ends");
            let end = SessionCommand::End(schemas::events::accounts::SessionEnd::TokenReused);
            let done =
                sessions.carry_out(id, Expected::Any, |sessions| Ok(Session::decide(sessions.state(id), end)?))?;
            sessions.append(conn, scope).await?;
            return Ok((done.change, None));
        }
        let next = next_refresh(self.digest.clone(), id, scope.now, session.expires_at);
        next.keep(conn, scope.tenant).await?;
        Ok((Change::Unchanged, Some((id, session.user_id))))
    }
}
