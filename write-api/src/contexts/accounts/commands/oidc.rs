//! Signing in by an identity provider: there and back.

use super::{
    Loaded, identity_providers,
    letters::Post,
    missing, secret,
    sign_in::{self, Shown, Tokens},
    signing,
};
use crate::{
    contexts::accounts::{
        domain::{Email, UserCommand},
        port::{Parts, keyring::PersonKey, keyring::ShopKey},
        table::{self, identities},
    },
    oidc::{Identity, OidcError, Ties},
    pipeline::{App, Change, Error, Expected, Rejection, Scope, procedure::Procedure},
};
use schemas::{
    TimeDelta, Uuid,
    contexts::Context,
    events::accounts::UserRegistered,
    problem::{Code, Problem},
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use std::sync::Arc;
use url::Url;

/// Minutes within which somebody has to come back.
const MINUTES: i64 = 10;
/// What is kept meanwhile is sealed for this.
const PURPOSE: &str = "identity request";
/// The longest code that is passed on.
const MOST_CODE: usize = 4_000;

/// What is kept of somebody who is on the way.
#[derive(Serialize, Deserialize)]
struct Request {
    provider: String,
    /// If the provider has another address by then, what it says is of no use.
    issuer: String,
    nonce: String,
    verifier: String,
    return_to: Url,
    /// Who wants to link; none for signing in.
    user: Option<Uuid>,
}

/// Where somebody goes, and what they come back with.
#[derive(Debug)]
pub(in super::super) struct Begun {
    pub(in super::super) authorization_url: Url,
    pub(in super::super) state: String,
}

/// Sends somebody to a provider. Who is signed in comes back to link, and nobody else can with this state.
pub(in super::super) async fn begin(
    app: &App,
    scope: &Scope,
    provider: &str,
    return_to: &str,
    user: Option<Uuid>,
) -> Result<Begun, Error> {
    let Post { parts, key, page, .. } = Post::of(app, scope, Some(return_to)).await?;
    let page = page.filter(|page| page.fragment().is_none());
    let return_to = page.ok_or_else(|| Rejection::invalid_at("/return_to", "an address without # is expected"))?;
    let found = identity_providers::find(app, scope, &key, provider).await?;
    let unknown = || Rejection::invalid_at("/provider", "the shop has no identity provider with this slug");
    let (provider, registration) = found.ok_or_else(unknown)?;
    let ((state, digest), (nonce, _), (verifier, _)) = (secret(scope, ""), secret(scope, ""), secret(scope, ""));
    let ties = Ties { state, nonce, verifier, return_to };
    let url = parts.providers.authorization_url(&registration, &ties).await;
    let authorization_url = url.map_err(|error| refused(scope, &provider, &error))?;
    let Ties { state, nonce, verifier, return_to } = ties;
    let request = Request { provider, issuer: registration.issuer, nonce, verifier, return_to, user };
    let sealed = key.seal(PURPOSE, &request)?;
    let expires_at = scope.now + TimeDelta::minutes(MINUTES);
    identities::keep_request(&app.database, scope.tenant, &digest, &sealed, expires_at).await?;
    Ok(Begun { authorization_url, state })
}

/// What somebody comes back with.
pub(in super::super) struct Return {
    pub(in super::super) code: String,
    pub(in super::super) state: String,
    /// Who has issued the code (RFC 9207), if the provider says so.
    pub(in super::super) iss: Option<String>,
}

/// Who has come back.
pub(super) struct Proved {
    pub(super) parts: Arc<Parts>,
    pub(super) key: Arc<ShopKey>,
    /// The provider's slug.
    pub(super) provider: String,
    /// By which the account is found.
    pub(super) digest: String,
    pub(super) identity: Identity,
}

/// Finds out who has come back, for signing in or, of somebody, for linking. The state is used up, whatever comes of it.
pub(super) async fn prove(app: &App, scope: &Scope, back: &Return, user: Option<Uuid>) -> Result<Proved, Error> {
    let parts = app.accounts.parts().map_err(Rejection::of)?;
    let key = parts.keyring.shop(&app.database, scope.tenant).await?;
    let digest = super::digest(&back.state);
    let taken = identities::take_request(&app.database, scope.tenant, &digest, scope.now).await?;
    let request: Request = key.open(PURPOSE, &taken.ok_or_else(state_not_valid)?)?;
    if request.user != user {
        return Err(state_not_valid().into());
    }
    let found = identity_providers::find(app, scope, &key, &request.provider).await?;
    // Its owner has taken it away, or put another one in its place.
    let found = found.filter(|(_, registration)| registration.issuer == request.issuer);
    let (provider, registration) = found.ok_or_else(state_not_valid)?;
    if back.iss.as_ref().is_some_and(|iss| *iss != registration.issuer) {
        return Err(Rejection::invalid_at("/iss", "the code is of another provider than the one that was asked").into());
    }
    if back.code.is_empty() || back.code.len() > MOST_CODE {
        return Err(refused(scope, &provider, &OidcError::CodeRefused).into());
    }
    let Request { nonce, verifier, return_to, .. } = request;
    let ties = Ties { state: back.state.clone(), nonce, verifier, return_to };
    let identity = parts.providers.identity(&registration, &ties, &back.code, scope.now).await;
    let identity = identity.map_err(|error| refused(scope, &provider, &error))?;
    let digest = key.of_identity(&registration.issuer, &identity.subject);
    Ok(Proved { parts, key, provider, digest, identity })
}

fn state_not_valid() -> Rejection {
    Rejection::invalid_at("/state", "the state is not valid, or not any more; begin anew")
}

/// Why a provider does not say who somebody is, as it is told. The shop's owner finds more in the log.
fn refused(scope: &Scope, provider: &str, error: &OidcError) -> Rejection {
    tracing::warn!(tenant.id = %scope.tenant, provider, %error, "a provider did not say who somebody is");
    match error {
        OidcError::Busy => {
            Rejection::of(Problem::new(Code::Overloaded).detail(format!("{error}; try again in a second")))
        }
        OidcError::Unavailable(_) => {
            Rejection::of(Problem::new(Code::ProviderUnavailable).detail("nobody was signed in; begin anew in a while"))
        }
        OidcError::CodeRefused => Rejection::invalid_at("/code", "the provider does not take the code; begin anew"),
        OidcError::Distrusted(reason) => {
            Rejection::of(Problem::new(Code::IdentityRefused).detail(format!("{reason}; begin anew")))
        }
    }
}

/// Signs in whoever has come back. Who is new has an account from here on, if the provider has proved their address.
pub(in super::super) async fn complete(app: &App, scope: &Scope, back: &Return) -> Result<Tokens, Error> {
    let proved = prove(app, scope, back, None).await?;
    // Once there are shoppers there is a key for their tokens.
    let signing = signing::current(app, scope, &proved.parts, &proved.key).await?;
    let new = New::of(scope, &proved)?;
    let user = app.procedure(scope, &Enter { proved, new }).await?;
    let started = sign_in::start(app, scope, &signing, user, Shown::Provider).await?;
    Ok(started.ok_or_else(missing)?)
}

/// Whom an address makes an account for, if there is none yet.
struct New {
    email: Email,
    digest: String,
    user: Uuid,
    key: PersonKey,
    wrapped: String,
}

impl New {
    /// None where the provider doesn't say that the address is theirs.
    fn of(scope: &Scope, proved: &Proved) -> Result<Option<Self>, Error> {
        let Identity { email, is_email_verified, .. } = &proved.identity;
        let email = email.as_ref().filter(|_| *is_email_verified).and_then(|email| Email::parse(email).ok());
        let Some(email) = email else { return Ok(None) };
        let user = scope.clock.id();
        let (key, wrapped) = proved.parts.keyring.new_person(scope.tenant, user)?;
        Ok(Some(Self { digest: proved.key.of_email(&email.folded()), email, user, key, wrapped }))
    }
}

/// Finds the account of somebody, or makes it.
struct Enter {
    proved: Proved,
    new: Option<New>,
}

impl Procedure for Enter {
    const CONTEXT: Context = Context::Accounts;
    type Output = Uuid;

    fn name(&self) -> &'static str {
        "enter_by_identity"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Uuid), Error> {
        let Proved { provider, digest, .. } = &self.proved;
        if let Some(known) = identities::user_of_identity(&mut *conn, scope.tenant, provider, digest).await? {
            return Ok((Change::Unchanged, known));
        }
        let new = self.new.as_ref().ok_or_else(address_not_proved)?;
        let owner = table::user_of_email(&mut *conn, scope.tenant, &new.digest).await?;
        let mut loaded = Loaded::of(conn, scope, owner.unwrap_or(new.user)).await?;
        match owner {
            None => {
                let email = new.key.seal("email", &new.email.as_str())?;
                let registered = UserRegistered { user_id: new.user, email };
                loaded.decide(Expected::Any, UserCommand::Register(registered))?;
            }
            // Only who has proved the address by the provider learns it.
            Some(_) if loaded.user()?.is_verified => return Err(account_exists().into()),
            // Somebody has typed the address and never proved it: the code that was sent, and the password that it would
            // bring along, are none any more.
            Some(user) => table::forget_codes(&mut *conn, scope.tenant, user).await?,
        }
        loaded.decide(Expected::Any, UserCommand::VerifyEmail)?;
        let done = loaded.decide(Expected::Any, UserCommand::LinkIdentity(provider.clone()))?;
        loaded.write(conn, scope).await?;
        if owner.is_none() {
            table::claim_email(&mut *conn, scope.tenant, &new.digest, new.user).await?;
            table::keep_person_key(&mut *conn, scope.tenant, new.user, &new.wrapped).await?;
        }
        identities::keep_identity(&mut *conn, scope.tenant, provider, digest, done.id).await?;
        Ok((if owner.is_none() { Change::Created } else { Change::Changed }, done.id))
    }
}

fn address_not_proved() -> Rejection {
    let detail =
        "the provider does not say that an e-mail address is theirs; sign up with a password instead, and link then";
    Rejection::of(Problem::new(Code::EmailNotVerified).detail(detail))
}

fn account_exists() -> Rejection {
    let detail = "sign in with the password, and link the provider by `POST /v1/me/identities`";
    Rejection::of(Problem::new(Code::AccountExists).detail(detail))
}
