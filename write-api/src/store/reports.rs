//! The tables of what clients report: their versions, and which reports are known.

use super::{Batch, Failure, Row, Scope, Stored, read_version};
use crate::domain::insights::Client;
use schemas::Uuid;
use sqlx::PgConnection;
use std::collections::HashSet;

/// A report that comes again within this time is known.
const KNOWN_FOR_HOURS: i32 = 48;
/// Most rows that are let go at once: more than a request can add, so that they do not pile up.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

impl Stored for Client {
    const NAME: &'static str = "client";

    async fn insert(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, Self>]) -> Result<(), Failure> {
        sqlx::query(
            "INSERT INTO insights.clients (tenant_id, client_id, version) \
             SELECT $1, new.* FROM UNNEST($2::uuid[], $3::int8[]) AS new",
        )
        .bind(scope.tenant.uuid())
        .bind(rows.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.version).collect::<Vec<_>>())
        .execute(conn)
        .await?;
        Ok(())
    }

    async fn update(conn: &mut PgConnection, scope: &Scope, rows: &[Row<'_, Self>]) -> Result<u64, Failure> {
        let done = sqlx::query(
            "UPDATE insights.clients AS old SET version = new.version \
             FROM UNNEST($2::uuid[], $3::int8[], $4::int8[]) AS new (client_id, version, expected) \
             WHERE old.tenant_id = $1 AND old.client_id = new.client_id AND old.version = new.expected",
        )
        .bind(scope.tenant.uuid())
        .bind(rows.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.version).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.expected).collect::<Vec<_>>())
        .execute(conn)
        .await?;
        Ok(done.rows_affected())
    }

    /// Nothing that is reported removes a client.
    async fn delete(_: &mut PgConnection, _: &Scope, _: &[(Uuid, i64)]) -> Result<u64, Failure> {
        Ok(0)
    }
}

/// Loads and locks some clients.
pub(crate) async fn load_clients(
    conn: &mut PgConnection,
    scope: &Scope,
    clients: &[Uuid],
) -> Result<Batch<Client>, Failure> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "SELECT client_id, version FROM insights.clients \
         WHERE tenant_id = $1 AND client_id = ANY($2) ORDER BY client_id FOR UPDATE",
    )
    .bind(scope.tenant.uuid())
    .bind(clients)
    .fetch_all(conn)
    .await?;
    let mut batch = Batch::default();
    for (id, version) in rows {
        batch.insert(id, read_version(version), Client);
    }
    Ok(batch)
}

/// Which of these reports came before.
pub(crate) async fn known(conn: &mut PgConnection, scope: &Scope, records: &[Uuid]) -> Result<HashSet<Uuid>, Failure> {
    let known: Vec<Uuid> =
        sqlx::query_scalar("SELECT record_id FROM insights.records WHERE tenant_id = $1 AND record_id = ANY($2)")
            .bind(scope.tenant.uuid())
            .bind(records)
            .fetch_all(conn)
            .await?;
    Ok(known.into_iter().collect())
}

/// Remembers reports, and lets go of those that are old enough.
pub(crate) async fn remember(conn: &mut PgConnection, scope: &Scope, mut records: Vec<Uuid>) -> Result<(), Failure> {
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
           SELECT ctid FROM insights.records WHERE received_at < $1 - make_interval(hours => $2) \
           ORDER BY received_at LIMIT $3 FOR UPDATE SKIP LOCKED))",
    )
    .bind(scope.now)
    .bind(KNOWN_FOR_HOURS)
    .bind(FORGOTTEN_AT_ONCE)
    .execute(conn)
    .await?;
    Ok(())
}
