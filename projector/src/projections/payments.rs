//! Payments, refunds, transfers and providers, as staff see them. Versions decide what is kept: an event is applied once, in its order.

use crate::{
    projection::{Projection, ViewTable},
    stored,
};
use eventlog::Event;
use schemas::{
    Timestamp,
    events::{
        DomainEvent, PaymentsEvent,
        payments::{PaymentCaptured, RefundRequested, TransferEntered},
        settings::PaymentMethod,
    },
    topics::Context,
};
use sqlx::{PgConnection, Postgres, postgres::PgArguments, query::Query};

/// Payments.
#[derive(Debug)]
pub struct Payments;

impl Projection for Payments {
    const NAME: &'static str = "payments";
    const READS: &'static [Context] = &[Context::Payments];
    const TABLES: &'static [ViewTable] = &[
        ViewTable::whole("payments", "tenant_id, payment_id"),
        ViewTable::whole("payment_captures", "tenant_id, capture_id"),
        ViewTable::whole("payment_transfers", "tenant_id, proof_id"),
        ViewTable::whole("refunds", "tenant_id, refund_id"),
        ViewTable::whole("payment_providers", "tenant_id, account_id"),
    ];

    async fn apply(connection: &mut PgConnection, events: &[&Event], _: Timestamp) -> Result<(), sqlx::Error> {
        for event in events {
            let DomainEvent::Payments(happened) = &event.event else { continue };
            match happened {
                PaymentsEvent::PaymentCaptured(captured) => capture(connection, event, captured).await?,
                PaymentsEvent::TransferEntered(entered) => transfer(connection, event, entered).await?,
                PaymentsEvent::RefundRequested(requested) => refund(connection, event, requested).await?,
                _ => {}
            }
            if let Some(statement) = statement(event, happened) {
                statement.execute(&mut *connection).await?;
            }
        }
        Ok(())
    }
}

// What events do to the rows. The first four parameters are tenant, aggregate, version and time.
const CREATED: &str =
    "INSERT INTO payments (tenant_id, payment_id, version, created_at, changed_at, order_id, checkout_id, method, account, status,
       currency, amount, held, captured, fees, attempt)
     VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, 'created', $9, $10, 0, 0, 0, 0) ON CONFLICT (tenant_id, payment_id) DO NOTHING";
const PENDING: &str =
    "UPDATE payments SET version = $3, changed_at = $4, status = 'pending', attempt = $5, reference = NULL, failure = NULL
     WHERE tenant_id = $1 AND payment_id = $2 AND version < $3";
const ACTION: &str = "UPDATE payments SET version = $3, changed_at = $4, status = 'action_required', reference = $5
     WHERE tenant_id = $1 AND payment_id = $2 AND version < $3";
const AUTHORIZED: &str = "UPDATE payments SET version = $3, changed_at = $4, reference = $5, held = held + $6,
       status = CASE WHEN captured > 0 THEN 'captured' ELSE 'authorized' END
     WHERE tenant_id = $1 AND payment_id = $2 AND version < $3";
const EXPIRED: &str = "UPDATE payments SET version = $3, changed_at = $4, held = held - $5,
       status = CASE WHEN captured > 0 THEN 'captured' ELSE 'expired' END
     WHERE tenant_id = $1 AND payment_id = $2 AND version < $3";
const CAPTURED: &str = "UPDATE payments SET version = $3, changed_at = $4, captured = captured + $5, held = held - $6,
       status = CASE WHEN captured + $5 >= amount OR ($7 AND held - $6 = 0) THEN 'captured' ELSE 'partly_captured' END
     WHERE tenant_id = $1 AND payment_id = $2 AND version < $3";
const FAILED: &str = "UPDATE payments SET version = $3, changed_at = $4, status = 'failed', failure = $5, reference = coalesce($6, reference)
     WHERE tenant_id = $1 AND payment_id = $2 AND version < $3";
const VOIDED: &str = "UPDATE payments SET version = $3, changed_at = $4, status = 'voided', held = held - $5
     WHERE tenant_id = $1 AND payment_id = $2 AND version < $3";
const FEE: &str =
    "UPDATE payments SET version = $3, changed_at = $4, fees = fees + CASE WHEN currency = $5 THEN $6::bigint ELSE 0 END
     WHERE tenant_id = $1 AND payment_id = $2 AND version < $3";
const MISMATCH: &str = "UPDATE payments SET version = $3, changed_at = $4, mismatch = $5
     WHERE tenant_id = $1 AND payment_id = $2 AND version < $3";
const TOUCHED: &str = "UPDATE payments SET version = $3, changed_at = $4
     WHERE tenant_id = $1 AND payment_id = $2 AND version < $3";
const APPROVED: &str = "WITH touched AS (
       UPDATE payments SET version = $3, changed_at = $4 WHERE tenant_id = $1 AND payment_id = $2 AND version < $3)
     UPDATE payment_transfers SET approved_by = $6, approved_at = $4 WHERE tenant_id = $1 AND proof_id = $5";
const REMITTED: &str = "WITH touched AS (
       UPDATE payments SET version = $3, changed_at = $4 WHERE tenant_id = $1 AND payment_id = $2 AND version < $3)
     UPDATE payment_captures SET kept = $6 WHERE tenant_id = $1 AND capture_id = $5";
const SUBMITTED: &str = "UPDATE refunds SET version = $3, changed_at = $4, status = 'submitted', reference = $5
     WHERE tenant_id = $1 AND refund_id = $2 AND version < $3";
const SUCCEEDED: &str = "UPDATE refunds SET version = $3, changed_at = $4, status = 'succeeded'
     WHERE tenant_id = $1 AND refund_id = $2 AND version < $3";
const REFUND_FAILED: &str = "UPDATE refunds SET version = $3, changed_at = $4, status = 'failed'
     WHERE tenant_id = $1 AND refund_id = $2 AND version < $3";
const PROVIDER: &str = "INSERT INTO payment_providers AS known (tenant_id, account_id, version, changed_at, name)
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, account_id) DO UPDATE
     SET version = excluded.version, changed_at = excluded.changed_at WHERE known.version < excluded.version";

type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// A statement with its first four parameters.
fn about<'q>(event: &Event, sql: &'static str) -> Statement<'q> {
    let envelope = &event.envelope;
    let query = sqlx::query(sql).bind(envelope.tenant.uuid()).bind(envelope.aggregate_id);
    query.bind(stored::version(envelope.version)).bind(envelope.time)
}

/// What an event does to the row of its aggregate.
fn statement<'q>(event: &Event, happened: &'q PaymentsEvent) -> Option<Statement<'q>> {
    let about = |sql| about(event, sql);
    Some(match happened {
        PaymentsEvent::PaymentCreated(created) => about(CREATED)
            .bind(created.order_id)
            .bind(created.checkout_id)
            .bind(method(created.method))
            .bind(&created.account)
            .bind(created.money.currency.to_string())
            .bind(created.money.amount),
        PaymentsEvent::PaymentPending(pending) => about(PENDING).bind(number(pending.attempt)),
        PaymentsEvent::PaymentActionRequired(action) => about(ACTION).bind(&action.reference),
        PaymentsEvent::PaymentAuthorized(held) => about(AUTHORIZED).bind(&held.reference).bind(held.money.amount),
        PaymentsEvent::AuthorizationExpired(expired) => about(EXPIRED).bind(expired.money.amount),
        PaymentsEvent::PaymentCaptured(captured) => about(CAPTURED)
            .bind(captured.money.amount)
            .bind(captured.from_hold.saturating_add(captured.released))
            .bind(captured.attempt.is_some()),
        PaymentsEvent::PaymentFailed(failed) => about(FAILED).bind(&failed.reason).bind(&failed.reference),
        PaymentsEvent::PaymentVoided(voided) => about(VOIDED).bind(voided.money.amount),
        PaymentsEvent::FeeCharged(fee) => about(FEE).bind(fee.money.currency.to_string()).bind(fee.money.amount),
        PaymentsEvent::TransferEntered(_) => about(TOUCHED),
        PaymentsEvent::TransferApproved(approved) => {
            about(APPROVED).bind(approved.proof_id).bind(&approved.approved_by)
        }
        PaymentsEvent::CashRemitted(remitted) => about(REMITTED).bind(&remitted.capture_id).bind(remitted.kept),
        PaymentsEvent::PaymentMismatchFound(found) => about(MISMATCH).bind(serde_json::to_string(found).ok()),
        PaymentsEvent::RefundSubmitted(submitted) => about(SUBMITTED).bind(&submitted.reference),
        PaymentsEvent::RefundSucceeded(_) => about(SUCCEEDED),
        PaymentsEvent::RefundFailed(_) => about(REFUND_FAILED),
        PaymentsEvent::ProviderAccountSet(set) => about(PROVIDER).bind(&set.name),
        PaymentsEvent::RefundRequested(_) | PaymentsEvent::LedgerTransactionPosted(_) => return None,
    })
}

/// As the events have it.
const fn method(method: PaymentMethod) -> &'static str {
    match method {
        PaymentMethod::Card => "card",
        PaymentMethod::Transfer => "transfer",
        PaymentMethod::CashOnDelivery => "cash_on_delivery",
    }
}

fn number(attempt: u32) -> i32 {
    i32::try_from(attempt).unwrap_or(i32::MAX)
}

async fn capture(connection: &mut PgConnection, event: &Event, captured: &PaymentCaptured) -> Result<(), sqlx::Error> {
    let source = serde_json::to_value(captured.source).ok();
    sqlx::query(
        "INSERT INTO payment_captures (tenant_id, capture_id, payment_id, source, account, currency, amount, captured_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant_id, capture_id) DO NOTHING",
    )
    .bind(event.envelope.tenant.uuid())
    .bind(&captured.capture_id)
    .bind(captured.payment_id)
    .bind(source.as_ref().and_then(|source| source.as_str()))
    .bind(&captured.account)
    .bind(captured.money.currency.to_string())
    .bind(captured.money.amount)
    .bind(event.envelope.time)
    .execute(connection)
    .await?;
    Ok(())
}

async fn transfer(connection: &mut PgConnection, event: &Event, entered: &TransferEntered) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO payment_transfers (tenant_id, proof_id, payment_id, currency, amount, reference, proof, entered_by, entered_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (tenant_id, proof_id) DO NOTHING",
    )
    .bind(event.envelope.tenant.uuid())
    .bind(entered.proof_id)
    .bind(entered.payment_id)
    .bind(entered.money.currency.to_string())
    .bind(entered.money.amount)
    .bind(&entered.reference)
    .bind(&entered.proof)
    .bind(&entered.entered_by)
    .bind(event.envelope.time)
    .execute(connection)
    .await?;
    Ok(())
}

async fn refund(connection: &mut PgConnection, event: &Event, requested: &RefundRequested) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO refunds (tenant_id, refund_id, version, payment_id, status, currency, amount, reason, requested_at, changed_at)
         VALUES ($1, $2, $3, $4, 'requested', $5, $6, $7, $8, $8) ON CONFLICT (tenant_id, refund_id) DO NOTHING",
    )
    .bind(event.envelope.tenant.uuid())
    .bind(requested.refund_id)
    .bind(stored::version(event.envelope.version))
    .bind(requested.payment_id)
    .bind(requested.money.currency.to_string())
    .bind(requested.money.amount)
    .bind(&requested.reason)
    .bind(event.envelope.time)
    .execute(connection)
    .await?;
    Ok(())
}
