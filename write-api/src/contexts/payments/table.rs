//! The tables of payments: states, the ledger, and what stands beside them and in no event.

pub(super) mod accounts;
pub(super) mod calls;
pub(super) mod ledger;
pub(super) mod webhooks;

use super::domain::{Payment, ProviderAccount, Refund};
use crate::pipeline::{Column, Failure, Table, TableSpec};
use schemas::{Uuid, ids::TenantId};
use sqlx::PgExecutor;

impl Table for Payment {
    const SPEC: TableSpec = TableSpec {
        name: "payments",
        id: "payment_id",
        of_tenant: true,
        columns: &[Column::Text("order_id", "uuid"), Column::Text("status", "text"), Column::Json("state")],
    };
}

impl Table for Refund {
    const SPEC: TableSpec = TableSpec {
        name: "refunds",
        id: "refund_id",
        of_tenant: true,
        columns: &[Column::Text("payment_id", "uuid"), Column::Json("state")],
    };
}

impl Table for ProviderAccount {
    const SPEC: TableSpec = TableSpec {
        name: "provider_accounts",
        id: "account_id",
        of_tenant: true,
        columns: &[Column::Text("name", "text"), Column::Json("state")],
    };
}

fn unreadable(what: &'static str) -> impl Fn(serde_json::Error) -> Failure {
    move |error| Failure::Unreadable(what, error.to_string())
}

/// Payments with their versions, not locked.
pub(super) async fn payments(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    ids: &[Uuid],
) -> Result<Vec<(u64, Payment)>, Failure> {
    let rows: Vec<(i64, String)> =
        sqlx::query_as("SELECT version, state FROM payments.payments WHERE tenant_id = $1 AND payment_id = ANY($2)")
            .bind(tenant.uuid())
            .bind(ids)
            .fetch_all(executor)
            .await?;
    let read = |(version, state): (i64, String)| Ok((version.unsigned_abs(), serde_json::from_str(&state)?));
    rows.into_iter().map(read).collect::<Result<_, serde_json::Error>>().map_err(unreadable("payment"))
}

/// The refunds of a payment, not locked; who changes one holds the payment.
pub(super) async fn refunds(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    payment: Uuid,
) -> Result<Vec<Refund>, Failure> {
    let rows: Vec<String> =
        sqlx::query_scalar("SELECT state FROM payments.refunds WHERE tenant_id = $1 AND payment_id = $2")
            .bind(tenant.uuid())
            .bind(payment)
            .fetch_all(executor)
            .await?;
    rows.iter().map(|state| serde_json::from_str(state)).collect::<Result<_, _>>().map_err(unreadable("refund"))
}
