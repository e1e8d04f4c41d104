//! The lists of providers, compared with what the shops know. What differs is asked for like what a webhook speaks of, so that nothing
//! is taken from a list.

use super::{
    super::{
        domain::{Payment, PaymentCommand},
        port::{agreed, note::observed},
        table::{self, accounts, webhooks},
    },
    Work, refused,
};
use crate::{
    domain::Aggregate,
    pipeline::{App, Error},
    providers::{Provider, Snapshot},
};
use schemas::{TimeDelta, Timestamp, Uuid, ids::TenantId};
use std::collections::HashMap;

/// How often the list of an account is looked at.
const EVERY: TimeDelta = TimeDelta::minutes(10);
/// Attempts are looked at that were begun so long before the last look: by then a hold is over.
const BACK: TimeDelta = TimeDelta::days(7);
/// Pages that are read at once.
const PAGES: usize = 50;

/// Looks at one account whose list is due; gives how many there were.
pub(super) async fn round(app: &App, work: &Work) -> Result<usize, Error> {
    let mut transaction = app.database.of_installation().await?;
    let due = accounts::due_look(&mut *transaction, app.clock.now(), EVERY).await?;
    transaction.commit().await?;
    let Some((account, looked_at)) = due else { return Ok(0) };
    let outcome = match look(app, account, looked_at - BACK).await {
        Ok(true) => "compared",
        Ok(false) => "failed",
        Err(error) => {
            let reason = refused(error)?;
            tracing::warn!(account.id = %account, reason, "the list of a payment provider can't be compared");
            "failed"
        }
    };
    if outcome == "failed" {
        // Not at once, and from where it was.
        let mut transaction = app.database.of_installation().await?;
        accounts::look_again(
            &mut *transaction,
            account,
            looked_at.max(app.clock.now() - EVERY + TimeDelta::minutes(1)),
        )
        .await?;
        transaction.commit().await?;
    }
    work.count("list", outcome);
    Ok(1)
}

async fn look(app: &App, account: Uuid, since: Timestamp) -> Result<bool, Error> {
    let found = accounts::of_id(&mut *app.database.of_installation().await?, account).await?;
    let Some(found) = found else { return Ok(true) };
    let provider = agreed::with_secrets(app, found.tenant, &found.sealed).await?;
    let mut next = None;
    for _ in 0..PAGES {
        let page = match provider.list(since, next).await {
            Ok(page) => page,
            Err(error) => {
                tracing::info!(account.id = %account, %error, "the list of a payment provider is compared later");
                return Ok(false);
            }
        };
        compare(app, found.tenant, account, &page.attempts).await?;
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    Ok(true)
}

/// Has asked for what differs, and for what the shop doesn't know.
async fn compare(app: &App, tenant: TenantId, account: Uuid, seen: &[Snapshot]) -> Result<(), Error> {
    let ids: Vec<Uuid> = seen.iter().filter_map(|attempt| Some(attempt.ours?.payment_id)).collect();
    let mut transaction = app.database.of_shop(tenant).await?;
    let known = table::payments(&mut *transaction, tenant, &ids).await?;
    let known: HashMap<Uuid, Payment> =
        known.into_iter().map(|(_, payment)| (payment.created.payment_id, payment)).collect();
    for attempt in seen {
        let Some(payment) = attempt.ours.and_then(|ours| known.get(&ours.payment_id)) else { continue };
        let refunded = match attempt.refunded {
            0 => 0,
            _ => {
                let refunds = table::refunds(&mut *transaction, tenant, payment.created.payment_id).await?;
                refunds.iter().fold(0_i64, |sum, refund| sum.saturating_add(refund.takes()))
            }
        };
        if differs(payment, attempt) || refunded != attempt.refunded {
            webhooks::want(&mut *transaction, tenant, account, &attempt.reference, app.clock.now()).await?;
        }
    }
    Ok(transaction.commit().await?)
}

/// Whether something follows from what the list says.
fn differs(payment: &Payment, attempt: &Snapshot) -> bool {
    let Some(ours) = attempt.ours else { return false };
    let observed = PaymentCommand::Observe(observed(attempt, ours.attempt));
    Payment::decide(Some(payment), observed).map_or(true, |events| !events.is_empty())
}
