//! How many pieces of variants can be ordered, and where they lie.

use crate::pipeline::{Failure, Scope};
use schemas::{Uuid, ids::VariantId};
use sqlx::PgConnection;
use std::collections::{BTreeMap, HashMap};

/// Pieces on hand over all places, less those that are held and committed, with those that may be promised beyond, in one query. A
/// variant that was never in stock is left out. The probe of availability goes by the same (`installation.orderable`).
pub(crate) async fn left(
    conn: &mut PgConnection,
    scope: &Scope,
    variants: &[VariantId],
) -> Result<HashMap<VariantId, i64>, Failure> {
    let ids: Vec<Uuid> = variants.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "SELECT s.variant_id, LEAST(9223372036854775807, GREATEST(0, COALESCE(l.available, 0))
                + GREATEST(0, s.backorder_limit + LEAST(0, COALESCE(l.available_there, 0))))::bigint
         FROM inventory.stock_items AS s CROSS JOIN LATERAL (
           SELECT SUM(n.on_hand - n.reserved - n.committed) AS available,
                  SUM(n.on_hand - n.reserved - n.committed) FILTER (WHERE n.location = s.backorder_location) AS available_there
           FROM inventory.levels AS n WHERE n.tenant_id = s.tenant_id AND n.variant_id = s.variant_id) AS l
         WHERE s.tenant_id = $1 AND s.variant_id = ANY($2)",
    )
    .bind(scope.tenant.uuid())
    .bind(ids)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id, left)| (VariantId(id), left)).collect())
}

/// Pieces on hand by variant and place, less those that are held and committed; below zero where pieces are missing. A variant that was
/// never in stock is left out.
pub(crate) async fn levels(
    conn: &mut PgConnection,
    scope: &Scope,
    variants: &[VariantId],
) -> Result<BTreeMap<VariantId, BTreeMap<String, i64>>, Failure> {
    let ids: Vec<Uuid> = variants.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid, String, i64)> = sqlx::query_as(
        "SELECT variant_id, location, on_hand - reserved - committed FROM inventory.levels
         WHERE tenant_id = $1 AND variant_id = ANY($2)",
    )
    .bind(scope.tenant.uuid())
    .bind(ids)
    .fetch_all(conn)
    .await?;
    let mut levels: BTreeMap<VariantId, BTreeMap<String, i64>> = BTreeMap::new();
    for (variant, location, pieces) in rows {
        levels.entry(VariantId(variant)).or_default().insert(location, pieces);
    }
    Ok(levels)
}
