//! The ledger: its tables are read here, and written by a function of the database alone.

use super::{super::domain::LedgerTransaction, unreadable};
use crate::pipeline::{Batch, Failure, Row, Scope, Stored};
use schemas::{
    Timestamp, Uuid,
    events::payments::{LedgerEntry, LedgerTransactionPosted},
};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;

/// The head of a transaction, as the function takes it.
#[derive(Serialize)]
struct Header<'a> {
    tenant_id: Uuid,
    transaction_id: Uuid,
    posted_at: Timestamp,
    key: &'a str,
    kind: &'a str,
    cause: &'a str,
    payment_id: Option<Uuid>,
}

#[derive(sqlx::FromRow)]
struct Found {
    transaction_id: Uuid,
    key: String,
    kind: String,
    cause: String,
    payment_id: Option<Uuid>,
    entries: Option<String>,
}

impl Stored for LedgerTransaction {
    async fn load(conn: &mut PgConnection, scope: &Scope, ids: &[Uuid]) -> Result<Batch<Self>, Failure> {
        let rows: Vec<Found> = sqlx::query_as(
            "SELECT k.transaction_id, t.key, t.kind, t.cause, t.payment_id,
               (SELECT json_agg(json_build_object('account', e.account, 'side', e.side, 'amount', e.amount, 'currency', e.currency)
                                ORDER BY e.position)::text
                FROM payments.ledger_entries AS e
                WHERE e.tenant_id = k.tenant_id AND e.transaction_id = k.transaction_id AND e.occurred_at = k.posted_at) AS entries
             FROM payments.ledger_keys AS k
             JOIN payments.ledger_transactions AS t
               ON t.tenant_id = k.tenant_id AND t.transaction_id = k.transaction_id AND t.occurred_at = k.posted_at
             WHERE k.tenant_id = $1 AND k.transaction_id = ANY($2)",
        )
        .bind(scope.tenant.uuid())
        .bind(ids)
        .fetch_all(conn)
        .await?;
        let mut batch = Batch::default();
        for Found { transaction_id, key, kind, cause, payment_id, entries } in rows {
            let entries: Vec<LedgerEntry> = serde_json::from_str(entries.as_deref().unwrap_or("[]"))
                .map_err(unreadable("transaction of the ledger"))?;
            let posted = LedgerTransactionPosted { transaction_id, key, kind, cause, payment_id, entries };
            batch.insert(transaction_id, 1, Self { posted });
        }
        Ok(batch)
    }

    fn shown(&self) -> Option<Value> {
        serde_json::to_value(self).ok()
    }

    async fn insert(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, Self>]) -> Result<(), Failure> {
        let no_json = |error| Failure::NoJson("transaction of the ledger", error);
        for row in rows {
            let posted = &row.state.posted;
            let header = Header {
                tenant_id: scope.tenant.uuid(),
                transaction_id: row.id,
                posted_at: scope.now,
                key: &posted.key,
                kind: &posted.kind,
                cause: &posted.cause,
                payment_id: posted.payment_id,
            };
            let is_new: bool = sqlx::query_scalar("SELECT payments.ledger_post($1::text::jsonb, $2::text::jsonb)")
                .bind(serde_json::to_string(&header).map_err(no_json)?)
                .bind(serde_json::to_string(&posted.entries).map_err(no_json)?)
                .fetch_one(&mut *conn)
                .await?;
            if !is_new {
                return Err(Failure::Conflict);
            }
        }
        Ok(())
    }

    /// Nothing of the ledger is changed.
    async fn update(_: &mut PgConnection, _: &Scope, _: &[Row<'_, Self>]) -> Result<u64, Failure> {
        Ok(0)
    }

    /// Nor taken away.
    async fn delete(_: &mut PgConnection, _: &Scope, _: &[(Uuid, i64)]) -> Result<u64, Failure> {
        Ok(0)
    }
}
