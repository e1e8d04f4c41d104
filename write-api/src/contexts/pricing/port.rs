//! What other contexts may know of prices: the whole sheets of variants, to choose from.

use crate::pipeline::{Failure, Scope, batch::read_version};
use schemas::{Uuid, events::pricing::PriceEntry, ids::VariantId};
use sqlx::PgConnection;
use std::collections::HashMap;

/// The price sheets of variants with their versions, in one query. A variant that never had a price is left out; one whose
/// prices were removed has no entries.
pub(crate) async fn sheets(
    conn: &mut PgConnection,
    scope: &Scope,
    variants: &[VariantId],
) -> Result<HashMap<VariantId, (u64, Vec<PriceEntry>)>, Failure> {
    let ids: Vec<Uuid> = variants.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid, i64, String)> = sqlx::query_as(
        "SELECT variant_id, version, entries FROM pricing.price_sheets WHERE tenant_id = $1 AND variant_id = ANY($2)",
    )
    .bind(scope.tenant.uuid())
    .bind(ids)
    .fetch_all(conn)
    .await?;
    let read = |(id, version, entries): (Uuid, i64, String)| {
        let sheet: Vec<PriceEntry> =
            serde_json::from_str(&entries).map_err(|error| Failure::Unreadable("price sheet", error.to_string()))?;
        Ok((VariantId(id), (read_version(version), sheet)))
    };
    rows.into_iter().map(read).collect()
}
