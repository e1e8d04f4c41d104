//! Who was a guest before: somebody whose address is proved has made the orders that came from there.

use crate::{
    contexts::accounts::table,
    pipeline::{Failure, Scope, database::Database},
};
use schemas::{Timestamp, Uuid, ids::TenantId};
use sqlx::PgConnection;

/// Somebody whose address was proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proved {
    pub(crate) tenant: TenantId,
    pub(crate) user: Uuid,
    /// What stands for the address.
    pub(crate) email_digest: String,
    at: Timestamp,
}

/// So many whose orders as guests were not looked for yet, of all shops.
pub(crate) async fn proved(look: &mut PgConnection, most: i64) -> Result<Vec<Proved>, Failure> {
    let rows = table::former::proved(look, most).await?;
    let proved = |(tenant, user, email_digest, at)| Proved { tenant: TenantId(tenant), user, email_digest, at };
    Ok(rows.into_iter().map(proved).collect())
}

/// Notes that somebody was these guests. Their keys go with the account's.
pub(crate) async fn note(database: &Database, scope: &Scope, user: Uuid, guests: &[Uuid]) -> Result<(), Failure> {
    let mut transaction = database.of_shop(scope.tenant).await?;
    table::former::note(&mut transaction, scope.tenant, user, guests).await?;
    Ok(transaction.commit().await?)
}

/// All orders of somebody were found; what was proved since then is looked for again.
pub(crate) async fn found(database: &Database, proved: &Proved) -> Result<(), Failure> {
    let mut transaction = database.of_shop(proved.tenant).await?;
    table::former::found(&mut *transaction, proved.tenant, proved.user, proved.at).await?;
    Ok(transaction.commit().await?)
}
