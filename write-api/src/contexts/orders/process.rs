//! Guests' orders become those of the account whose address they were made with, once that address is proved: whoever can read
//! the mails of an address may see what was ordered with it, and nobody before.

use super::{port, table};
use crate::{
    contexts::accounts::port::former::{self, Proved},
    pipeline::{App, Audited, Error, Expected, Failure},
};
use schemas::Uuid;
use service::RequestContext;
use sqlx::PgConnection;

/// Accounts that are looked at in one run: what is left is looked at in the next.
const STEP: i64 = 200;

/// Looks for the orders of those whose address was proved; gives how many have become an account's.
pub(crate) async fn claim_due(app: &App, look: &mut PgConnection) -> Result<u64, Failure> {
    let mut claimed = 0;
    for proved in former::proved(look, STEP).await? {
        claimed += claim(app, &proved).await?;
    }
    Ok(claimed)
}

async fn claim(app: &App, proved: &Proved) -> Result<u64, Failure> {
    let request = RequestContext { correlation_id: app.clock.id().to_string(), traceparent: None };
    // Nobody did this: the audit has nothing of it.
    let scope = app.scope(proved.tenant, request, Audited::default());
    let orders = {
        let mut transaction = app.database.of_shop(proved.tenant).await?;
        table::of_guest(&mut transaction, proved.tenant, &proved.email_digest).await?
    };
    let guests: Vec<Uuid> = orders.iter().map(|(_, guest)| *guest).collect();
    // Before the orders: an account that is erased meanwhile takes along what they were sealed with.
    former::note(&app.database, &scope, proved.user, &guests).await?;
    let mut claimed = 0;
    for (order, _) in orders {
        match port::act(app, &scope, None, order, Expected::Any, port::Act::Claim { user: proved.user }).await {
            Ok(_) => claimed += 1,
            // Another account was faster.
            Err(Error::Rejected(_) | Error::KeyReused) => {}
            Err(Error::Failed(failure)) => return Err(failure),
        }
    }
    former::found(&app.database, proved).await?;
    Ok(claimed)
}
