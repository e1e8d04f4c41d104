//! The table of orders, and the numbers that were drawn.

use super::domain::Order;
use crate::pipeline::{Column, Failure, Table, TableSpec};
use schemas::{Uuid, ids::TenantId};
use sqlx::PgConnection;

impl Table for Order {
    const SPEC: TableSpec = TableSpec {
        name: "orders",
        id: "order_id",
        of_tenant: true,
        columns: &[
            Column::Text("checkout_id", "uuid"),
            Column::Text("number", "text"),
            Column::Text("guest_key", "text"),
            Column::Json("state"),
        ],
    };
}

/// Draws the next number of a shop. Whoever draws the one after waits until this transaction has ended.
pub(super) async fn draw_number(conn: &mut PgConnection, tenant: TenantId) -> Result<i64, Failure> {
    let drawn = sqlx::query_scalar(
        "INSERT INTO orders.numbers AS n (tenant_id, last) VALUES ($1, 1)
         ON CONFLICT (tenant_id) DO UPDATE SET last = n.last + 1 RETURNING last",
    );
    Ok(drawn.bind(tenant.uuid()).fetch_one(conn).await?)
}

/// The orders of guests whose address this stands for, each with the guest.
pub(super) async fn of_guest(
    conn: &mut PgConnection,
    tenant: TenantId,
    guest_key: &str,
) -> Result<Vec<(Uuid, Uuid)>, Failure> {
    let found = sqlx::query_as(
        "SELECT order_id, (state::jsonb->'buyer'->>'id')::uuid FROM orders.orders
         WHERE tenant_id = $1 AND guest_key = $2 ORDER BY order_id",
    );
    Ok(found.bind(tenant.uuid()).bind(guest_key).fetch_all(conn).await?)
}
