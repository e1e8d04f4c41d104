//! The table of carts, and who owns which.

use super::domain::Cart;
use crate::pipeline::{Column, Failure, Row, Scope, Table, TableSpec};
use schemas::{Timestamp, Uuid, buyer::Buyer, ids::TenantId};
use sqlx::{PgConnection, PgExecutor};
use std::collections::BTreeMap;

impl Table for Cart {
    const SPEC: TableSpec = TableSpec {
        name: "carts",
        id: "cart_id",
        of_tenant: true,
        columns: &[
            Column::Text("owner_kind", "text"),
            Column::Text("owner_id", "uuid"),
            Column::Text("phase", "text"),
            Column::Json("state"),
        ],
    };

    /// Notes when carts were touched: no state has the time.
    async fn write_parts(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, Self>]) -> Result<(), Failure> {
        sqlx::query("UPDATE carts.carts SET touched_at = $3 WHERE tenant_id = $1 AND cart_id = ANY($2)")
            .bind(scope.tenant.uuid())
            .bind(rows.iter().map(|row| row.id).collect::<Vec<_>>())
            .bind(scope.now)
            .execute(conn)
            .await?;
        Ok(())
    }
}

/// Whose these carts are. It never changes.
pub(super) async fn owners(
    conn: &mut PgConnection,
    tenant: TenantId,
    carts: &[Uuid],
) -> Result<BTreeMap<Uuid, Buyer>, Failure> {
    let rows: Vec<(Uuid, String, Uuid)> = sqlx::query_as(
        "SELECT cart_id, owner_kind, owner_id FROM carts.carts WHERE tenant_id = $1 AND cart_id = ANY($2)",
    )
    .bind(tenant.uuid())
    .bind(carts)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|(cart, kind, id)| Ok((cart, owner(&kind, id)?))).collect()
}

fn owner(kind: &str, id: Uuid) -> Result<Buyer, Failure> {
    let known = [Buyer::customer(id), Buyer::guest(id)].into_iter().find(|buyer| buyer.kind.as_str() == kind);
    known.ok_or_else(|| Failure::Unreadable("owner of a cart", kind.to_owned()))
}

/// The cart that somebody has now, locked, so that it is still theirs when it is decided on.
pub(super) async fn current(conn: &mut PgConnection, tenant: TenantId, owner: Buyer) -> Result<Option<Uuid>, Failure> {
    let found = sqlx::query_scalar(
        "SELECT cart_id FROM carts.carts
         WHERE tenant_id = $1 AND owner_kind = $2 AND owner_id = $3 AND phase IN ('open', 'locked') FOR UPDATE",
    );
    let found = found.bind(tenant.uuid()).bind(owner.kind.as_str()).bind(owner.id);
    Ok(found.fetch_optional(conn).await?)
}

/// A cart as it is, with its version; not locked.
pub(super) async fn find(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    cart: Uuid,
) -> Result<Option<(u64, Cart)>, Failure> {
    let row: Option<(i64, String)> =
        sqlx::query_as("SELECT version, state FROM carts.carts WHERE tenant_id = $1 AND cart_id = $2")
            .bind(tenant.uuid())
            .bind(cart)
            .fetch_optional(executor)
            .await?;
    let read = |(version, state): (i64, String)| Ok((version.unsigned_abs(), serde_json::from_str(&state)?));
    row.map(read).transpose().map_err(|error: serde_json::Error| Failure::Unreadable("cart", error.to_string()))
}

/// Shops that have open carts which nobody has touched since, each once.
pub(super) async fn untouched_shops(
    conn: &mut PgConnection,
    since: Timestamp,
    most: i64,
) -> Result<Vec<Uuid>, Failure> {
    let found = sqlx::query_scalar(
        "SELECT DISTINCT tenant_id FROM (
           SELECT tenant_id FROM carts.carts WHERE phase = 'open' AND touched_at < $1 ORDER BY touched_at LIMIT $2) AS oldest",
    );
    Ok(found.bind(since).bind(most).fetch_all(conn).await?)
}

/// Open carts of a shop which nobody has touched since, locked; those that somebody holds at the moment are left out.
pub(super) async fn untouched(
    conn: &mut PgConnection,
    tenant: TenantId,
    since: Timestamp,
    most: i64,
) -> Result<Vec<Uuid>, Failure> {
    let found = sqlx::query_scalar(
        "SELECT cart_id FROM carts.carts WHERE tenant_id = $1 AND phase = 'open' AND touched_at < $2
         ORDER BY touched_at LIMIT $3 FOR UPDATE SKIP LOCKED",
    );
    Ok(found.bind(tenant.uuid()).bind(since).bind(most).fetch_all(conn).await?)
}
