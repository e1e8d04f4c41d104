//! Signing in: a session begins.

use super::{letters::Post, missing, refused::Refused, second_factor, secret, sign_in_failed, sign_up, signing};
use crate::{
    contexts::accounts::{
        domain::{Email, Session, SessionCommand},
        port::{Parts, attempts::TooEarly, keyring::ShopKey, signing::Signing},
        table::{self, Purpose, RefreshToken, SecondFactor},
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

/// By what somebody signs in.
#[derive(Clone, Copy)]
pub(in super::super) struct Credentials<'a> {
    pub(in super::super) email: &'a Email,
    pub(in super::super) password: &'a str,
    /// A one-time code, or a recovery code.
    pub(in super::super) code: Option<&'a str>,
}

/// Signs somebody in by address and password, and a one-time code where the account asks for it. It takes as long for an
/// address that nobody has.
pub(in super::super) async fn sign_in(
    app: &App,
    scope: &Scope,
    Credentials { email, password, code }: Credentials<'_>,
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
    let started = start(app, scope, &signing, user, Shown::Password(code));
    match code {
        // Only a code that is shown can be wrong.
        Some(_) => second_factor::counted(&parts, scope, (user, address), started).await,
        None => started.await?.ok_or_else(|| Rejection::of(Problem::new(Code::SecondFactorRequired)).into()),
    }
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

/// How somebody has shown who they are.
#[derive(Clone, Copy)]
pub(super) enum Shown<'a> {
    /// By the password, and a one-time code if one was sent.
    Password(Option<&'a str>),
    /// By an identity provider, which asks for what it wants. Roles don't count in such a session.
    Provider,
}

/// Begins a session of somebody; none begins if the account asks for a one-time code, and this is no good one.
pub(super) async fn start(
    app: &App,
    scope: &Scope,
    signing: &Signing,
    user: Uuid,
    shown: Shown<'_>,
) -> Result<Option<Tokens>, Error> {
    let (refresh_token, digest) = secret(scope, PREFIX);
    let session = scope.clock.id();
    let expires_at = scope.now + TimeDelta::days(SESSION_DAYS);
    let started = SessionStarted { session_id: session, user_id: user, expires_at, second_factor: false };
    let refresh = next_refresh(digest, session, scope.now, expires_at);
    let post = Post::of(app, scope, None).await?;
    let start = Start { started, refresh, shown, post };
    let Some((version, is_strong)) = app.procedure(scope, &start).await? else { return Ok(None) };
    let access_token = access_token(scope, signing, (user, session), is_strong)?;
    let token = Some(Token::of(Context::Accounts, session, version));
    Ok(Some(Tokens { access_token, expires_in: TOKEN_SECONDS, refresh_token, user, session, token }))
}

fn access_token(
    scope: &Scope,
    signing: &Signing,
    (user, session): (Uuid, Uuid),
    is_strong: bool,
) -> Result<String, Failure> {
    let claims = Customer { tenant: scope.tenant, user, session, is_strong }.claims(scope.now);
    tokens::sign(&signing.key, signing.kid, &claims).map_err(|error| signing::of_token(&error))
}

/// A refresh token, which ends with its session at the latest.
fn next_refresh(digest: String, session: Uuid, now: Timestamp, session_ends: Timestamp) -> RefreshToken {
    RefreshToken { digest, session, expires_at: session_ends.min(now + TimeDelta::days(REFRESH_DAYS)) }
}

struct Start<'a> {
    started: SessionStarted,
    refresh: RefreshToken,
    shown: Shown<'a>,
    post: Post,
}

impl Procedure for Start<'_> {
    const CONTEXT: Context = Context::Accounts;
    /// The session's version, and whether a code was shown in it; none if a good one is missing.
    type Output = Option<(u64, bool)>;

    fn name(&self) -> &'static str {
        "sign_in"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Self::Output), Error> {
        let user = self.started.user_id;
        let loaded = super::Loaded::of(conn, scope, user).await?;
        if !loaded.user()?.is_verified {
            // Only who knows the password learns it.
            let detail = "use the code that was sent to the address, or sign up again for another one";
            return Err(Rejection::of(Problem::new(Code::EmailNotVerified).detail(detail)).into());
        }
        let factor = SecondFactor::load(&mut *conn, scope.tenant, user).await?;
        let is_strong = match (factor.filter(|factor| factor.is_confirmed), self.shown) {
            (None, _) | (_, Shown::Provider) => false,
            (Some(_), Shown::Password(None)) => return Ok((Change::Unchanged, None)),
            (Some(mut factor), Shown::Password(Some(code))) => {
                if !second_factor::use_up(conn, scope, &self.post, user, &mut factor, code).await? {
                    return Ok((Change::Unchanged, None));
                }
                true
            }
        };
        let (id, mut sessions) = (self.started.session_id, Batch::<Session>::default());
        let start = SessionCommand::Start(SessionStarted { second_factor: is_strong, ..self.started.clone() });
        let done = sessions.carry_out(id, Expected::Any, |sessions| Ok(Session::decide(sessions.state(id), start)?))?;
        sessions.append(conn, scope).await?;
        self.refresh.keep(conn, scope.tenant).await?;
        Ok((done.change, Some((done.version, is_strong))))
    }
}

/// Gives other tokens for a refresh token, which works once: one that comes again ends its session.
pub(in super::super) async fn refresh(app: &App, scope: &Scope, refresh_token: &str) -> Result<Tokens, Error> {
    let parts = app.accounts.parts().map_err(Rejection::of)?;
    let shop = parts.keyring.shop(&app.database, scope.tenant).await?;
    let signing = signing::current(app, scope, &parts, &shop).await?;
    let (next, digest) = secret(scope, PREFIX);
    let rotate = Rotate { old: super::digest(refresh_token), digest };
    let (session, user, is_strong) = app.procedure(scope, &rotate).await?.ok_or_else(session_ended)?;
    let access_token = access_token(scope, &signing, (user, session), is_strong)?;
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
    /// The session, whose it is, and whether a code was shown in it; none if it has ended, which has to be kept.
    type Output = Option<(Uuid, Uuid, bool)>;

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
        Ok((Change::Unchanged, Some((id, session.user_id, session.is_strong))))
    }
}
