//! Which checkout of a customer is the first order.

use crate::pipeline::Failure;
use schemas::{Uuid, ids::TenantId};
use sqlx::PgConnection;

/// Holds a customer's first order for a checkout by some uses; says whether no other checkout has it.
pub(in super::super) async fn hold(
    conn: &mut PgConnection,
    tenant: TenantId,
    customer: &str,
    checkout: Uuid,
    uses: i64,
) -> Result<bool, Failure> {
    let held = sqlx::query(
        "INSERT INTO promotions.first_orders AS f (tenant_id, customer, checkout_id, uses) VALUES ($1, $2, $3, $4::int8::int4)
         ON CONFLICT (tenant_id, customer) DO UPDATE SET checkout_id = excluded.checkout_id, uses = f.uses + excluded.uses
         WHERE f.uses = 0 OR f.checkout_id = excluded.checkout_id",
    )
    .bind(tenant.uuid())
    .bind(customer)
    .bind(checkout)
    .bind(uses)
    .execute(conn)
    .await?;
    Ok(held.rows_affected() > 0)
}

/// Lets go of some uses of it. Once none is left, another checkout may be the first.
pub(in super::super) async fn let_go(
    conn: &mut PgConnection,
    tenant: TenantId,
    customer: &str,
    checkout: Uuid,
    uses: i64,
) -> Result<(), Failure> {
    sqlx::query(
        "UPDATE promotions.first_orders SET uses = uses - $4::int8::int4
         WHERE tenant_id = $1 AND customer = $2 AND checkout_id = $3",
    )
    .bind(tenant.uuid())
    .bind(customer)
    .bind(checkout)
    .bind(uses)
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a checkout of the customer is the first order, or holds to become it.
pub(in super::super) async fn is_taken(
    conn: &mut PgConnection,
    tenant: TenantId,
    customer: &str,
) -> Result<bool, Failure> {
    let taken = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM promotions.first_orders WHERE tenant_id = $1 AND customer = $2 AND uses > 0)",
    )
    .bind(tenant.uuid())
    .bind(customer)
    .fetch_one(conn)
    .await?;
    Ok(taken)
}
