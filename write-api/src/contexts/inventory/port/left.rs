//! How many pieces of variants can be sold.

use crate::pipeline::{Failure, Scope};
use schemas::{Uuid, ids::VariantId};
use sqlx::PgConnection;
use std::collections::HashMap;

/// Pieces on hand over all places, less those that are held and committed, in one query; below zero where pieces are missing. A
/// variant that was never in stock is left out.
pub(crate) async fn left(
    conn: &mut PgConnection,
    scope: &Scope,
    variants: &[VariantId],
) -> Result<HashMap<VariantId, i64>, Failure> {
    let ids: Vec<Uuid> = variants.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "SELECT variant_id, LEAST(SUM(on_hand - reserved - committed), 9223372036854775807)::bigint FROM inventory.levels
         WHERE tenant_id = $1 AND variant_id = ANY($2) GROUP BY variant_id",
    )
    .bind(scope.tenant.uuid())
    .bind(ids)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id, left)| (VariantId(id), left)).collect())
}
