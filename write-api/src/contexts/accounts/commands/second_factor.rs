//! One-time codes besides the password: somebody begins to have them, shows one, and has them no longer.

use super::{
    Loaded, end_sessions,
    letters::{Post, text::Occasion},
    person_key,
    refused::Refused,
};
use crate::{
    contexts::accounts::{
        domain::{Session, SessionCommand, UserCommand},
        port::{Parts, attempts::TooEarly},
        table::SecondFactor,
    },
    domain::Aggregate,
    pipeline::{App, Change, Done, Error, Expected, Failure, Rejection, Scope, Stored, procedure::Procedure},
    second_factor::{self, Enrolment, RECOVERY_CODES, SECRET_BYTES},
};
use access::Customer;
use schemas::{
    Uuid,
    contexts::Context,
    events::accounts::{Sealed, SessionEnd},
    problem::{Code, Problem},
};
use sqlx::PgConnection;
use std::{net::IpAddr, sync::Arc};

/// What the secret is sealed for.
const SECRET: &str = "second factor";

/// Counts what somebody shows: who is wrong often has to wait.
pub(super) async fn counted<T>(
    parts: &Parts,
    scope: &Scope,
    (user, address): (Uuid, Option<IpAddr>),
    shown: impl Future<Output = Result<Option<T>, Error>>,
) -> Result<T, Refused> {
    let who = (scope.tenant, format!("{user} second factor"), address);
    parts.attempts.check(&who, scope.now).await.map_err(|TooEarly(seconds)| Refused::TooEarly(seconds))?;
    let Some(done) = shown.await? else {
        parts.attempts.failed(who, scope.now).await;
        return Err(Rejection::of(Problem::new(Code::SecondFactorWrong)).into());
    };
    parts.attempts.succeeded(&who).await;
    Ok(done)
}

/// Uses up a code that somebody shows, a recovery code as well; gives whether it was good.
pub(super) async fn use_up(
    conn: &mut PgConnection,
    scope: &Scope,
    post: &Post,
    user: Uuid,
    factor: &mut SecondFactor,
    code: &str,
) -> Result<bool, Error> {
    let secret = secret_of(conn, scope, &post.parts, user, factor).await?;
    // Authenticators show codes in two groups.
    let digits: String = code.chars().filter(|letter| !letter.is_whitespace()).take(12).collect();
    let step = second_factor::step_of(secret, &digits, scope.now.timestamp()).map_err(|error| unusable(&error))?;
    let step = step.and_then(|step| i64::try_from(step).ok()).filter(|step| *step > factor.last_step);
    if let Some(step) = step {
        factor.last_step = step;
    } else {
        let Some(typed) = second_factor::typed_recovery_code(code) else { return Ok(false) };
        let digest = post.key.of_recovery_code(user, &typed);
        let Some(place) = factor.recovery.iter().position(|known| *known == digest) else { return Ok(false) };
        factor.recovery.swap_remove(place);
    }
    factor.keep(conn, scope.tenant, user).await?;
    Ok(true)
}

async fn secret_of(
    conn: &mut PgConnection,
    scope: &Scope,
    parts: &Parts,
    user: Uuid,
    factor: &SecondFactor,
) -> Result<[u8; SECRET_BYTES], Error> {
    let text: String = person_key(conn, scope, parts, user).await?.open(SECRET, &factor.sealed)?;
    let mut secret = [0; SECRET_BYTES];
    hex::decode_to_slice(text, &mut secret).map_err(|error| unusable(&error))?;
    Ok(secret)
}

fn unusable(error: &impl ToString) -> Failure {
    Failure::Unreadable("second factor", error.to_string())
}

/// New recovery codes of somebody, and their digests.
fn recovery_codes(scope: &Scope, post: &Post, user: Uuid) -> (Vec<String>, Vec<String>) {
    let codes = (0..RECOVERY_CODES).map(|_| second_factor::recovery_code(scope.clock.secret()));
    codes.map(|code| (code.clone(), post.key.of_recovery_code(user, &code))).unzip()
}

fn conflict(detail: &str) -> Rejection {
    Rejection::of(Problem::new(Code::SecondFactorConflict).detail(detail))
}

fn is_none() -> Rejection {
    conflict("the account asks for no one-time codes")
}

/// Begins: gives the secret. Codes are asked for once one was shown.
pub(in super::super) async fn enrol(app: &App, scope: &Scope, user: Uuid) -> Result<Enrolment, Error> {
    let post = Post::of(app, scope, None).await?;
    app.procedure(scope, &Enrol { user, post }).await
}

struct Enrol {
    user: Uuid,
    post: Post,
}

impl Procedure for Enrol {
    const CONTEXT: Context = Context::Accounts;
    type Output = Enrolment;

    fn name(&self) -> &'static str {
        "enrol_second_factor"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Enrolment), Error> {
        let loaded = Loaded::of(conn, scope, self.user).await?;
        let user = loaded.user()?;
        if user.has_second_factor {
            return Err(conflict("the account asks for one-time codes already; disable that first").into());
        }
        let key = person_key(conn, scope, &self.post.parts, self.user).await?;
        let email: String = key.open("email", &user.email)?;
        let mut secret = [0; SECRET_BYTES];
        secret.copy_from_slice(&scope.clock.secret()[..SECRET_BYTES]);
        let sealed = key.seal(SECRET, &hex::encode(secret))?;
        let factor = SecondFactor { sealed, is_confirmed: false, recovery: Vec::new(), last_step: 0 };
        factor.keep(conn, scope.tenant, self.user).await?;
        let told = second_factor::enrolment(secret, &self.post.shop, &email).map_err(|error| unusable(&error))?;
        Ok((Change::Unchanged, told))
    }
}

/// What somebody does with the second factor that they have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum What {
    /// Shows that the authenticator knows the secret: codes are asked for from now on. The session counts as one in which a
    /// code was shown.
    Confirm,
    /// Takes other recovery codes instead of those that are left.
    Renew,
    /// Has none from now on. All sessions end, since a code was shown in some of them.
    Disable,
}

struct Showing {
    what: What,
    customer: Customer,
    code: String,
    post: Post,
}

/// Does it, for whoever shows a good code; gives the recovery codes, where there are new ones.
pub(in super::super) async fn show(
    app: &App,
    scope: &Scope,
    what: What,
    customer: Customer,
    address: Option<IpAddr>,
    code: String,
) -> Result<Vec<String>, Refused> {
    let post = Post::of(app, scope, None).await?;
    let parts = Arc::clone(&post.parts);
    let showing = Showing { what, customer, code, post };
    let codes = counted(&parts, scope, (customer.user, address), app.procedure(scope, &showing)).await?;
    parts.mails.notify_one();
    Ok(codes)
}

impl Procedure for Showing {
    const CONTEXT: Context = Context::Accounts;
    /// The recovery codes, where there are new ones; none if the code is wrong.
    type Output = Option<Vec<String>>;

    fn name(&self) -> &'static str {
        match self.what {
            What::Confirm => "confirm_second_factor",
            What::Renew => "renew_recovery_codes",
            What::Disable => "disable_second_factor",
        }
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Option<Vec<String>>), Error> {
        let Customer { user, session, .. } = self.customer;
        let mut loaded = Loaded::of(conn, scope, user).await?;
        let email = loaded.user()?.email.clone();
        let mut factor = SecondFactor::load(&mut *conn, scope.tenant, user).await?.ok_or_else(is_none)?;
        match (self.what, factor.is_confirmed) {
            (What::Confirm, true) => return Err(conflict("the account asks for one-time codes already").into()),
            (What::Renew | What::Disable, false) => return Err(is_none().into()),
            (What::Confirm, false) | (What::Renew | What::Disable, true) => {}
        }
        if !use_up(conn, scope, &self.post, user, &mut factor, &self.code).await? {
            return Ok((Change::Unchanged, None));
        }
        let has = self.what != What::Disable;
        let done = loaded.decide(Expected::Any, UserCommand::SetSecondFactor(has))?;
        loaded.write(conn, scope).await?;
        let mut codes = Vec::new();
        if has {
            (codes, factor.recovery) = recovery_codes(scope, &self.post, user);
            factor.is_confirmed = true;
            factor.keep(&mut *conn, scope.tenant, user).await?;
            shown_in(conn, scope, session).await?;
        } else {
            SecondFactor::delete(conn, scope.tenant, user).await?;
            end_sessions(conn, scope, user, SessionEnd::SecondFactorReset, None).await?;
        }
        if done.change != Change::Unchanged {
            tell(conn, scope, &self.post, (user, &email), has).await?;
        }
        Ok((done.change, Some(codes)))
    }
}

/// Tells the person by mail, in case it was somebody else.
async fn tell(
    conn: &mut PgConnection,
    scope: &Scope,
    post: &Post,
    (user, email): (Uuid, &Sealed),
    has: bool,
) -> Result<(), Error> {
    let occasion = if has { Occasion::SecondFactorEnabled } else { Occasion::SecondFactorDisabled };
    let email: String = person_key(conn, scope, &post.parts, user).await?.open("email", email)?;
    Ok(post.send(conn, scope, Some(user), &post.letter(occasion, &email), None).await?)
}

/// A code was shown in a session.
async fn shown_in(conn: &mut PgConnection, scope: &Scope, session: Uuid) -> Result<(), Error> {
    let mut sessions = Session::load(conn, scope, &[session]).await?;
    sessions.carry_out(session, Expected::Any, |sessions| {
        Ok(Session::decide(sessions.state(session), SessionCommand::ShowSecondFactor)?)
    })?;
    Ok(sessions.append(conn, scope).await?)
}

/// Takes the second factor of somebody away who has lost device and recovery codes. Their sessions end.
pub(in super::super) async fn reset(app: &App, scope: &Scope, user: Uuid) -> Result<Done, Error> {
    let post = Post::of(app, scope, None).await?;
    let parts = Arc::clone(&post.parts);
    let done = app.procedure(scope, &Reset { user, post }).await?;
    parts.mails.notify_one();
    Ok(done)
}

struct Reset {
    user: Uuid,
    post: Post,
}

impl Procedure for Reset {
    const CONTEXT: Context = Context::Accounts;
    type Output = Done;

    fn name(&self) -> &'static str {
        "reset_second_factor"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Done), Error> {
        let mut loaded = Loaded::of(conn, scope, self.user).await?;
        let email = loaded.user()?.email.clone();
        let done = loaded.decide(Expected::Any, UserCommand::SetSecondFactor(false))?;
        if done.change != Change::Unchanged {
            loaded.write(conn, scope).await?;
            SecondFactor::delete(conn, scope.tenant, self.user).await?;
            end_sessions(conn, scope, self.user, SessionEnd::SecondFactorReset, None).await?;
            tell(conn, scope, &self.post, (self.user, &email), false).await?;
        }
        Ok((done.change, done))
    }
}
