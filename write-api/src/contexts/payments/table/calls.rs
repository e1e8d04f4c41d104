//! What a provider was asked for and has not answered yet.

use super::unreadable;
use crate::pipeline::{Failure, Scope};
use schemas::{TimeDelta, Timestamp, Uuid, ids::TenantId};
use serde::{Deserialize, Serialize};
use sqlx::PgExecutor;
use std::fmt;

/// How long whoever has written a call down, or taken it, has for it; then another process takes it.
const HELD: TimeDelta = TimeDelta::seconds(60);

/// What a provider is asked for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(in super::super) enum Operation {
    /// To begin an attempt.
    Create { attempt: u32 },
    /// To have the money held.
    Authorise { attempt: u32, reference: String, token: String },
    /// To take what is held.
    Capture { attempt: u32, reference: String, amount: i64 },
    /// To let go of it.
    Void {
        attempt: u32,
        reference: String,
        /// Whether the payment is given up with it, and then whether late money is given back at once.
        gives_up: Option<bool>,
    },
    /// To send money back.
    Refund { refund_id: Uuid, reference: String, amount: i64 },
}

/// What is paid with stands in no log.
impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl Operation {
    /// Its name in the payment: with that, it is the idempotency key.
    pub(in super::super) fn name(&self) -> String {
        match self {
            Self::Create { attempt } => format!("{attempt}:create"),
            Self::Authorise { attempt, .. } => format!("{attempt}:authorise"),
            Self::Capture { attempt, .. } => format!("{attempt}:capture"),
            Self::Void { attempt, .. } => format!("{attempt}:void"),
            Self::Refund { refund_id, .. } => format!("{refund_id}:refund"),
        }
    }

    /// What the provider calls the attempt, if it was asked for one before.
    pub(in super::super) fn reference(&self) -> Option<&str> {
        match self {
            Self::Create { .. } => None,
            Self::Authorise { reference, .. }
            | Self::Capture { reference, .. }
            | Self::Void { reference, .. }
            | Self::Refund { reference, .. } => Some(reference),
        }
    }
}

/// A call that was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Call {
    pub(in super::super) tenant: TenantId,
    pub(in super::super) payment_id: Uuid,
    pub(in super::super) operation: Operation,
    pub(in super::super) begun_at: Timestamp,
    /// How often what came of it was not known.
    pub(in super::super) tries: i32,
}

impl Call {
    /// The key under which the provider does it once.
    pub(in super::super) fn key(&self) -> String {
        format!("{}:{}", self.payment_id, self.operation.name())
    }
}

type Columns = (Uuid, Uuid, String, Timestamp, i32);

fn read((tenant, payment_id, operation, begun_at, tries): Columns) -> Result<Call, Failure> {
    let operation = serde_json::from_str(&operation).map_err(unreadable("call"))?;
    Ok(Call { tenant: TenantId(tenant), payment_id, operation, begun_at, tries })
}

/// Writes a call down; one of the same name stays as it was written first.
pub(in super::super) async fn write(
    executor: impl PgExecutor<'_>,
    scope: &Scope,
    payment: Uuid,
    operation: &Operation,
) -> Result<(), Failure> {
    let text = serde_json::to_string(operation).map_err(|error| Failure::NoJson("call", error))?;
    sqlx::query(
        "INSERT INTO payments.calls (tenant_id, payment_id, name, operation, begun_at, tries, next_at)
         VALUES ($1, $2, $3, $4, $5, 0, $6) ON CONFLICT DO NOTHING",
    )
    .bind(scope.tenant.uuid())
    .bind(payment)
    .bind(operation.name())
    .bind(text)
    .bind(scope.now)
    .bind(scope.now + HELD)
    .execute(executor)
    .await?;
    Ok(())
}

/// The calls of a payment, in the order in which they were written down.
pub(in super::super) async fn of_payment(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    payment: Uuid,
) -> Result<Vec<Call>, Failure> {
    let rows: Vec<Columns> = sqlx::query_as(
        "SELECT tenant_id, payment_id, operation, begun_at, tries FROM payments.calls
         WHERE tenant_id = $1 AND payment_id = $2 ORDER BY begun_at, name",
    )
    .bind(tenant.uuid())
    .bind(payment)
    .fetch_all(executor)
    .await?;
    rows.into_iter().map(read).collect()
}

/// It is known what came of a call.
pub(in super::super) async fn settle(
    executor: impl PgExecutor<'_>,
    scope: &Scope,
    payment: Uuid,
    name: &str,
) -> Result<(), Failure> {
    sqlx::query("DELETE FROM payments.calls WHERE tenant_id = $1 AND payment_id = $2 AND name = $3")
        .bind(scope.tenant.uuid())
        .bind(payment)
        .bind(name)
        .execute(executor)
        .await?;
    Ok(())
}

/// It is not known what came of a call: it is tried again, later each time.
pub(in super::super) async fn postpone(
    executor: impl PgExecutor<'_>,
    call: &Call,
    now: Timestamp,
) -> Result<(), Failure> {
    let pause = super::webhooks::pause(call.tries, 10 * 60);
    sqlx::query(
        "UPDATE payments.calls SET tries = tries + 1, next_at = $4 WHERE tenant_id = $1 AND payment_id = $2 AND name = $3",
    )
    .bind(call.tenant.uuid())
    .bind(call.payment_id)
    .bind(call.operation.name())
    .bind(now + pause)
    .execute(executor)
    .await?;
    Ok(())
}

/// Some calls that nobody has an answer to, of all shops; whoever gets them has them for a minute.
pub(in super::super) async fn due(
    executor: impl PgExecutor<'_>,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Call>, Failure> {
    let rows: Vec<Columns> = sqlx::query_as(
        "WITH due AS (
           SELECT tenant_id, payment_id, name FROM payments.calls WHERE next_at <= $1
           ORDER BY next_at LIMIT $3 FOR UPDATE SKIP LOCKED)
         UPDATE payments.calls AS c SET next_at = $2 FROM due
         WHERE c.tenant_id = due.tenant_id AND c.payment_id = due.payment_id AND c.name = due.name
         RETURNING c.tenant_id, c.payment_id, c.operation, c.begun_at, c.tries",
    )
    .bind(now)
    .bind(now + HELD)
    .bind(most)
    .fetch_all(executor)
    .await?;
    rows.into_iter().map(read).collect()
}
