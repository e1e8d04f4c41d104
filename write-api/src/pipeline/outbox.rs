//! The events of a context, waiting for the relay.

use super::{Failure, Scope, per_context::PerContext};
use crate::domain::Aggregate;
use schemas::{Uuid, events::Event};
use sqlx::PgConnection;

static INSERT: PerContext = PerContext::new(|schema| {
    format!(
        "INSERT INTO {schema}.outbox (event_id, tenant_id, event_type, aggregate, aggregate_id, version, partition_id, \
         payload, occurred_at, correlation_id, traceparent, causation_id) \
         SELECT event_id, $1, event_type, $2, aggregate_id, version, partition_id, payload, $3, correlation_id, \
         traceparent, causation_id \
         FROM UNNEST($4::uuid[], $5::text[], $6::uuid[], $7::int8[], $8::uuid[], $9::text[], $10::text[], $11::text[], \
         $12::text[]) WITH ORDINALITY AS new (event_id, event_type, aggregate_id, version, partition_id, payload, \
         correlation_id, traceparent, causation_id, n) ORDER BY n"
    )
});

/// An event that was decided.
pub(super) struct Decided<E> {
    pub(super) id: Uuid,
    pub(super) version: u64,
    pub(super) event: E,
    /// As JSON text.
    pub(super) payload: String,
}

/// A version as PostgreSQL keeps it.
pub(super) fn stored_version(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

/// Adds events in their order, each with the scope of the command that led to it, and gives their ids; the first scope says whose
/// they are, and when it was. To be called after the states were written; see [`Batch::append`](super::Batch::append).
pub(super) async fn append<A: Aggregate>(
    conn: &mut PgConnection,
    scope: &Scope,
    log: &[Decided<A::Event>],
    origins: &[&Scope],
) -> Result<Vec<Uuid>, Failure> {
    let ids: Vec<Uuid> = log.iter().map(|_| scope.clock.id()).collect();
    let types: Vec<&str> = log.iter().map(|decided| decided.event.event_type()).collect();
    let aggregates: Vec<Uuid> = log.iter().map(|decided| decided.id).collect();
    let versions: Vec<i64> = log.iter().map(|decided| stored_version(decided.version)).collect();
    let partitions: Vec<Uuid> = log.iter().map(|decided| decided.event.key(decided.id)).collect();
    let payloads: Vec<&str> = log.iter().map(|decided| decided.payload.as_str()).collect();
    sqlx::query(INSERT.sql(A::Event::CONTEXT))
        .bind(scope.tenant.uuid())
        .bind(A::NAME)
        .bind(scope.now)
        .bind(&ids)
        .bind(types)
        .bind(aggregates)
        .bind(versions)
        .bind(partitions)
        .bind(payloads)
        .bind(origins.iter().map(|origin| origin.request.correlation_id.as_str()).collect::<Vec<_>>())
        .bind(origins.iter().map(|origin| origin.request.traceparent.as_deref()).collect::<Vec<_>>())
        .bind(origins.iter().map(|origin| origin.cause.as_deref()).collect::<Vec<_>>())
        .execute(conn)
        .await?;
    Ok(ids)
}
