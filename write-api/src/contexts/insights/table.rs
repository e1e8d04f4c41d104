//! The tables of what clients report: their versions, and which reports are known.

use super::domain::Client;
use crate::pipeline::{Failure, Scope, Table, TableSpec};
use schemas::Uuid;
use sqlx::PgConnection;
use std::collections::HashSet;

/// A report that comes again within this time is known.
const KNOWN_FOR_HOURS: i32 = 48;
/// Most rows that are let go at once: more than a request can add, so that they do not pile up.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

impl Table for Client {
    const SPEC: TableSpec = TableSpec { name: "clients", id: "client_id", of_tenant: true, columns: &[] };
}

/// Which of these reports came before.
pub(super) async fn known(conn: &mut PgConnection, scope: &Scope, records: &[Uuid]) -> Result<HashSet<Uuid>, Failure> {
    let known: Vec<Uuid> =
        sqlx::query_scalar("SELECT record_id FROM insights.records WHERE tenant_id = $1 AND record_id = ANY($2)")
            .bind(scope.tenant.uuid())
            .bind(records)
            .fetch_all(conn)
            .await?;
    Ok(known.into_iter().collect())
}

/// Remembers reports, and lets go of those that are old enough.
pub(super) async fn remember(conn: &mut PgConnection, scope: &Scope, mut records: Vec<Uuid>) -> Result<(), Failure> {
    if records.is_empty() {
        return Ok(());
    }
    // One order for all, so that two requests with the same reports wait for each other in turn.
    records.sort_unstable();
    sqlx::query(
        "INSERT INTO insights.records (tenant_id, record_id, received_at) \
         SELECT $1, record_id, $3 FROM UNNEST($2::uuid[]) AS record_id",
    )
    .bind(scope.tenant.uuid())
    .bind(records)
    .bind(scope.now)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "DELETE FROM insights.records WHERE ctid = ANY(ARRAY( \
           SELECT ctid FROM insights.records WHERE received_at < $1::timestamptz - make_interval(hours => $2) \
           ORDER BY received_at LIMIT $3 FOR UPDATE SKIP LOCKED))",
    )
    .bind(scope.now)
    .bind(KNOWN_FOR_HOURS)
    .bind(FORGOTTEN_AT_ONCE)
    .execute(conn)
    .await?;
    Ok(())
}
