//! What a shop has agreed with payment providers.

use super::super::{
    domain::{ProviderAccount, ProviderAccountCommand, provider_account::Secrets},
    port::agreed::{SECRETS, STRIPE},
    table::accounts,
};
use crate::{
    domain::Aggregate,
    pipeline::{App, Change, Done, Error, Expected, Rejection, Scope, Stored, identity, procedure::Procedure},
};
use schemas::{contexts::Context, events::payments::ProviderAccountSet};
use sqlx::PgConnection;

/// Sets what was agreed with a provider, secrets included: they are sealed, and shown nowhere.
///
/// # Errors
/// There is no such provider; a secret is none.
pub(in super::super) async fn set(
    app: &App,
    scope: &Scope,
    expected: Expected,
    name: &str,
    secrets: &Secrets,
) -> Result<Done, Error> {
    if name != STRIPE {
        return Err(Rejection::not_found("there is no such payment provider; there is: stripe").into());
    }
    secrets.check().map_err(Rejection::invalid)?;
    let account_id = identity::named(scope.tenant, &["payment_provider", name]);
    let sealed = app.seal(scope.tenant, SECRETS, secrets).await?;
    let all = [std::slice::from_ref(&secrets.secret_key), secrets.webhook_secrets.as_slice()].concat().join(" ");
    let secrets_digest = app.digest(scope.tenant, SECRETS, &all).await?;
    let set = ProviderAccountSet { account_id, name: name.to_owned(), secrets_digest };
    app.procedure(scope, &Set { expected, set, sealed }).await
}

struct Set {
    expected: Expected,
    set: ProviderAccountSet,
    sealed: String,
}

impl Procedure for Set {
    const CONTEXT: Context = Context::Payments;
    type Output = Done;

    fn name(&self) -> &'static str {
        "set_payment_provider"
    }

    async fn run(&self, conn: &mut PgConnection, scope: &Scope) -> Result<(Change, Done), Error> {
        let (id, set) = (self.set.account_id, ProviderAccountCommand(self.set.clone()));
        let mut known = ProviderAccount::load(conn, scope, &[id]).await?;
        let done = known.carry_out(id, self.expected, |known| Ok(ProviderAccount::decide(known.state(id), set)?))?;
        known.append(conn, scope).await?;
        accounts::keep_secrets(&mut *conn, scope, id, &self.sealed).await?;
        accounts::look_at(conn, scope, id).await?;
        Ok((done.change, done))
    }
}
