//! Single searches are kept for some time only: so long as something that follows from one may still come. The
//! sums by day stay.

use schemas::NaiveDate;
use sqlx::{Connection, PgConnection};

/// Most rows that are let go in one transaction: readers and the projection wait for it.
pub const AT_ONCE: i64 = 500;

/// Lets go of up to [`AT_ONCE`] searches from before a day, the oldest first, and of what was done with searches
/// that never came; gives how many. What names one later is counted for its product alone.
///
/// # Errors
/// The database's.
pub async fn prune(connection: &mut PgConnection, before: NaiveDate) -> Result<u64, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    // What a batch of another share is about to write again is left for the next time.
    let pruned = sqlx::query(
        "DELETE FROM insight_searches WHERE ctid = ANY(ARRAY(
           SELECT ctid FROM insight_searches WHERE coalesce(day, acted) < $1 ORDER BY coalesce(day, acted) LIMIT $2
           FOR UPDATE SKIP LOCKED))",
    )
    .bind(before)
    .bind(AT_ONCE)
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    if pruned > 0 {
        // Views that are built beside these may hold more; see `KEPT`.
        sqlx::query(
            "INSERT INTO insight_retention (before) VALUES ($1)
             ON CONFLICT (only_row) DO UPDATE SET before = greatest(insight_retention.before, excluded.before)",
        )
        .bind(before)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(pruned)
}
