//! The identity providers of a shop, as its owner names them.

use crate::{
    contexts::accounts::{
        domain::{IdentityProvider, IdentityProviderCommand, NewProvider, identity_provider::MOST_PROVIDERS},
        port::{Parts, keyring::ShopKey},
        table::identities as table,
    },
    domain::Aggregate,
    oidc::Registration,
    pipeline::{App, Change, Done, Error, Expected, Rejection, Scope, Stored, identity, procedure::Procedure},
};
use schemas::{
    Uuid,
    contexts::Context,
    events::accounts::IdentityProviderSet,
    ids::TenantId,
    problem::{Code, Problem},
};
use sqlx::PgConnection;

/// What secrets of providers are sealed for.
const PURPOSE: &str = "identity provider";

/// The id of what a shop calls by this slug.
fn id_of(tenant: TenantId, slug: &str) -> Uuid {
    identity::named(tenant, &["identity_provider", slug])
}

/// A provider by which people sign in now, and what the shop has agreed with it.
pub(super) async fn find(
    app: &App,
    scope: &Scope,
    key: &ShopKey,
    slug: &str,
) -> Result<Option<(String, Registration)>, Error> {
    let found = table::provider(&mut *app.database.of_shop(scope.tenant).await?, scope.tenant, slug).await?;
    let Some((set, sealed)) = found else { return Ok(None) };
    let IdentityProviderSet { slug, issuer, client_id, scopes, .. } = set;
    Ok(Some((slug, Registration { issuer, client_id, client_secret: key.open(PURPOSE, &sealed)?, scopes })))
}

/// Lets people sign in by a provider, or changes how.
pub(in super::super) async fn set(
    app: &App,
    scope: &Scope,
    expected: Expected,
    new: NewProvider,
) -> Result<Done, Error> {
    let parts = app.accounts.parts().map_err(Rejection::of)?;
    check(&parts, &new)?;
    let key = parts.keyring.shop(&app.database, scope.tenant).await?;
    let sealed = key.seal(PURPOSE, &new.client_secret)?;
    let secret_digest = key.of_secret(&new.client_secret);
    let NewProvider { slug, name, issuer, client_id, client_secret: _, mut scopes } = new;
    // It is asked for in any case.
    scopes.retain(|scope| scope != "openid");
    let provider_id = id_of(scope.tenant, &slug);
    let set = IdentityProviderSet { provider_id, slug, name, issuer, client_id, secret_digest, scopes };
    app.procedure(scope, &SetProvider { expected, set, sealed }).await
}

fn check(parts: &Parts, new: &NewProvider) -> Result<(), Rejection> {
    new.check(parts.providers.check_issuer(&new.issuer)).map_err(Rejection::invalid)
}

struct SetProvider {
    expected: Expected,
    set: IdentityProviderSet,
    sealed: String,
}

impl Procedure for SetProvider {
    const CONTEXT: Context = Context::Accounts;
    type Output = Done;

    fn name(&self) -> &'static str {
        "set_identity_provider"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Done), Error> {
        let id = self.set.provider_id;
        let others = table::other_providers(&mut *conn, scope.tenant, id).await?;
        if usize::try_from(others).is_ok_and(|others| others >= MOST_PROVIDERS) {
            let detail = format!("a shop has at most {MOST_PROVIDERS}; remove one first");
            return Err(Rejection::of(Problem::new(Code::TooManyProviders).detail(detail)).into());
        }
        let mut providers = IdentityProvider::load(conn, scope, &[id]).await?;
        let set = IdentityProviderCommand::Set(self.set.clone());
        let done = providers
            .carry_out(id, self.expected, |providers| Ok(IdentityProvider::decide(providers.state(id), set)?))?;
        providers.append(conn, scope).await?;
        table::keep_provider_secret(conn, scope.tenant, id, &self.sealed).await?;
        Ok((done.change, done))
    }
}

/// Lets nobody sign in by a provider any more. Who has signed in by it has the account on, and a password by mail.
pub(in super::super) struct RemoveProvider {
    pub(in super::super) slug: String,
    pub(in super::super) expected: Expected,
}

impl Procedure for RemoveProvider {
    const CONTEXT: Context = Context::Accounts;
    type Output = Done;

    fn name(&self) -> &'static str {
        "remove_identity_provider"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Done), Error> {
        let id = id_of(scope.tenant, &self.slug);
        let mut providers = IdentityProvider::load(conn, scope, &[id]).await?;
        let done = providers.carry_out(id, self.expected, |providers| {
            Ok(IdentityProvider::decide(providers.state(id), IdentityProviderCommand::Remove)?)
        })?;
        providers.append(conn, scope).await?;
        table::forget_provider_secret(conn, scope.tenant, id).await?;
        Ok((done.change, done))
    }
}
