//! Objects that webhooks, or a list, speak of: each is asked for, however often it was spoken of, by one process at a time.

use super::{
    super::{
        port::{
            agreed,
            note::{Said, note},
            settle_late,
        },
        table::{
            accounts,
            webhooks::{self, Fetch},
        },
    },
    Work, refused, scope,
};
use crate::{
    pipeline::{App, Error},
    providers::{Provider, ProviderError, Snapshot},
};
use schemas::{TimeDelta, ids::TenantId};

/// Objects of one round.
const AT_ONCE: i64 = 10;
/// How long an object is asked for of which the shop knows nothing.
const KEPT: TimeDelta = TimeDelta::hours(72);

/// What became of a fetch.
enum Became {
    Noted,
    /// The shop knows of no such payment yet, or the provider of no such object.
    Strange(String),
    /// The provider does not answer.
    Unanswered(String),
}

pub(super) async fn round(app: &App, work: &Work) -> Result<usize, Error> {
    let mut transaction = app.database.of_installation().await?;
    let due = webhooks::due(&mut *transaction, app.clock.now(), AT_ONCE).await?;
    transaction.commit().await?;
    for fetch in &due {
        one(app, work, fetch).await?;
    }
    Ok(due.len())
}

async fn one(app: &App, work: &Work, fetch: &Fetch) -> Result<(), Error> {
    let became = match ask(app, fetch).await {
        Ok(became) => became,
        Err(error) => Became::Strange(refused(error)?),
    };
    let now = app.clock.now();
    let mut transaction = app.database.of_shop(TenantId(fetch.tenant_id)).await?;
    let outcome = match became {
        Became::Noted => {
            fetch.done(&mut transaction, now).await?;
            "noted"
        }
        Became::Strange(reason) if fetch.first_at + KEPT <= now => {
            tracing::warn!(tenant.id = %fetch.tenant_id, object = fetch.reference, reason,
                "an object of a payment provider is not asked for any more");
            fetch.done(&mut transaction, now).await?;
            "given_up"
        }
        Became::Strange(reason) | Became::Unanswered(reason) => {
            tracing::info!(tenant.id = %fetch.tenant_id, object = fetch.reference, reason,
                "an object of a payment provider is asked for later");
            fetch.postpone(&mut *transaction, now).await?;
            "later"
        }
    };
    work.count("fetch", outcome);
    Ok(transaction.commit().await?)
}

async fn ask(app: &App, fetch: &Fetch) -> Result<Became, Error> {
    let found = accounts::of_id(&mut *app.database.of_installation().await?, fetch.account_id).await?;
    let Some(account) = found else { return Ok(Became::Strange("the account is gone".to_owned())) };
    let provider = agreed::with_secrets(app, account.tenant, &account.sealed).await?;
    match provider.fetch(&fetch.reference).await {
        Ok(snapshot) => taken_in(app, account.tenant, snapshot).await,
        Err(error @ (ProviderError::NotDone(_) | ProviderError::Unknown(_))) => {
            Ok(Became::Unanswered(error.to_string()))
        }
        Err(
            error @ (ProviderError::Refused { .. }
            | ProviderError::OtherState { .. }
            | ProviderError::Missing
            | ProviderError::Unsupported),
        ) => Ok(Became::Strange(error.to_string())),
    }
}

async fn taken_in(app: &App, tenant: TenantId, snapshot: Snapshot) -> Result<Became, Error> {
    let Some(ours) = snapshot.ours else { return Ok(Became::Strange("the shop has not begun it".to_owned())) };
    let scope = scope(app, tenant);
    note(app, &scope, ours.payment_id, Said::Attempt(Box::new(snapshot)), None).await?;
    settle_late(app, &scope, ours.payment_id).await?;
    Ok(Became::Noted)
}
