//! The table of orders, and the numbers that were drawn.

use super::domain::Order;
use crate::pipeline::{Column, Failure, Table, TableSpec};
use schemas::ids::TenantId;
use sqlx::PgConnection;

impl Table for Order {
    const SPEC: TableSpec = TableSpec {
        name: "orders",
        id: "order_id",
        of_tenant: true,
        columns: &[Column::Text("checkout_id", "uuid"), Column::Text("number", "text"), Column::Json("state")],
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
