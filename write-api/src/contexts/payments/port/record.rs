//! Writing payments and refunds with what follows for the ledger, in one transaction.

use super::super::domain::{
    LedgerTransaction, Payment, Refund,
    ledger::{Posting, postings},
};
use crate::{
    domain::Aggregate,
    pipeline::{Batch, Error, Expected, Scope, Stored, identity},
};
use schemas::{Uuid, ids::TenantId};
use sqlx::PgConnection;

/// The id of what was posted under a key.
fn id_of(tenant: TenantId, key: &str) -> Uuid {
    identity::named(tenant, &["ledger_transaction", key])
}

/// Writes what was decided, and posts what follows.
pub(in super::super) async fn write(
    conn: &mut PgConnection,
    scope: &Scope,
    payments: Batch<Payment>,
    refunds: Batch<Refund>,
) -> Result<(), Error> {
    let all: Vec<Posting> = payments.events().chain(refunds.events()).flat_map(postings).collect();
    payments.append(conn, scope).await?;
    refunds.append(conn, scope).await?;
    post(conn, scope, all).await
}

async fn post(conn: &mut PgConnection, scope: &Scope, all: Vec<Posting>) -> Result<(), Error> {
    if all.is_empty() {
        return Ok(());
    }
    let mut ids: Vec<Uuid> = all.iter().map(|posting| id_of(scope.tenant, &posting.key)).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut ledger = LedgerTransaction::load(conn, scope, &ids).await?;
    for posting in all {
        let id = id_of(scope.tenant, &posting.key);
        ledger.carry_out(id, Expected::Any, |ledger| {
            Ok(LedgerTransaction::decide(ledger.state(id), posting.posted(id))?)
        })?;
    }
    Ok(ledger.append(conn, scope).await?)
}
