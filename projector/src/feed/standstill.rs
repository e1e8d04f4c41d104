//! Work beside the events of a feed, for which these have to stand still.

use super::Target;
use sqlx::PgConnection;

/// Whoever holds the checkpoint wants the views to stand still: all of it, and so its first partitions.
pub(super) async fn stand_still(target: Target, transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "SELECT FROM checkpoints WHERE projection = $1 AND partition = 0 ORDER BY topic COLLATE \"C\" FOR SHARE",
    )
    .bind(target.name)
    .execute(transaction)
    .await?;
    Ok(())
}
