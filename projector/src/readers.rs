//! Telling the readers that the views have changed.

use schemas::signals::{self, Changed};
use sqlx::PgConnection;

/// Wakes the readers once the transaction is committed.
///
/// # Errors
/// The database's.
pub async fn tell(transaction: &mut PgConnection, changed: Changed) -> Result<(), sqlx::Error> {
    let signal = sqlx::query("SELECT pg_notify($1, $2)").bind(signals::VIEWS_CHANGED).bind(changed.payload());
    signal.execute(transaction).await.map(|_| ())
}
