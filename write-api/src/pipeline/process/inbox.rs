//! Telling processes of events, in the transaction that records them: nothing is lost between the two, and no broker has to be
//! there.

use super::correlate::Concerned;
use crate::pipeline::{
    Failure, Scope,
    outbox::{Decided, stored_version},
};
use schemas::{
    Uuid,
    events::{DomainEvent, Event},
};
use sqlx::PgConnection;
use std::collections::HashMap;

const BEGIN: &str =
    "INSERT INTO processes.processes (tenant_id, name, process_id, correlation_id, traceparent, created_at, changed_at)
    SELECT DISTINCT $1::uuid, told.name, told.process_id, $4::text, $5::text, $6::timestamptz, $6::timestamptz
    FROM UNNEST($2::text[], $3::uuid[]) AS told (name, process_id)
    ON CONFLICT DO NOTHING";
const TELL: &str = "INSERT INTO processes.triggers
      (tenant_id, name, process_id, kind, event_id, context, event_type, aggregate_id, version, payload, occurred_at)
    SELECT $1::uuid, told.name, told.process_id, 'event', told.event_id, $8::text, told.event_type, told.aggregate_id, told.version, told.payload, $9::timestamptz
    FROM UNNEST($2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::int8[], $10::text[]) WITH ORDINALITY
      AS told (name, process_id, event_id, event_type, aggregate_id, version, payload, n) ORDER BY n";

/// Tells the processes that these events concern. `ids` are the events'.
pub(in crate::pipeline) async fn tell<E: Event + Into<DomainEvent>>(
    conn: &mut PgConnection,
    scope: &Scope,
    log: &[Decided<E>],
    ids: &[Uuid],
) -> Result<(), Failure> {
    if !scope.processes.read(E::CONTEXT) {
        return Ok(());
    }
    let mut told = Vec::new();
    for (decided, event_id) in log.iter().zip(ids) {
        let event: DomainEvent = decided.event.clone().into();
        told.extend(scope.processes.of(&event, decided.id).map(|(name, of)| (name, of, *event_id, decided)));
    }
    let linked = linked(conn, scope, told.iter().map(|(name, of, ..)| (*name, *of))).await?;
    let known = |name: &'static str, of| match of {
        Concerned::Process(process) => Some(process),
        Concerned::Linked(id) => linked.get(&(name.to_owned(), id)).copied(),
    };
    let told = told.into_iter().filter_map(|(name, of, event, decided)| Some((name, known(name, of)?, event, decided)));
    let told: Vec<(&str, Uuid, Uuid, &Decided<E>)> = told.collect();
    if told.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = told.iter().map(|(name, ..)| *name).collect();
    let processes: Vec<Uuid> = told.iter().map(|(_, process, ..)| *process).collect();
    sqlx::query(BEGIN)
        .bind(scope.tenant.uuid())
        .bind(&names)
        .bind(&processes)
        .bind(&scope.request.correlation_id)
        .bind(&scope.request.traceparent)
        .bind(scope.now)
        .execute(&mut *conn)
        .await?;
    sqlx::query(TELL)
        .bind(scope.tenant.uuid())
        .bind(&names)
        .bind(&processes)
        .bind(told.iter().map(|(_, _, id, _)| *id).collect::<Vec<_>>())
        .bind(told.iter().map(|(.., decided)| decided.event.event_type()).collect::<Vec<_>>())
        .bind(told.iter().map(|(.., decided)| decided.id).collect::<Vec<_>>())
        .bind(told.iter().map(|(.., decided)| stored_version(decided.version)).collect::<Vec<_>>())
        .bind(E::CONTEXT.name())
        .bind(scope.now)
        .bind(told.iter().map(|(.., decided)| decided.payload.as_str()).collect::<Vec<_>>())
        .execute(conn)
        .await?;
    Ok(())
}

/// The processes that have linked these aggregates, by name and aggregate.
async fn linked(
    conn: &mut PgConnection,
    scope: &Scope,
    concerned: impl Iterator<Item = (&'static str, Concerned)>,
) -> Result<HashMap<(String, Uuid), Uuid>, Failure> {
    let (mut names, mut ids) = (Vec::new(), Vec::new());
    for (name, of) in concerned {
        match of {
            Concerned::Process(_) => {}
            Concerned::Linked(id) => {
                names.push(name);
                ids.push(id);
            }
        }
    }
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(String, Uuid, Uuid)> = sqlx::query_as(
        "SELECT DISTINCT l.name, l.linked, l.process_id FROM UNNEST($2::text[], $3::uuid[]) AS of (name, id)
         JOIN processes.links AS l ON l.tenant_id = $1 AND l.name = of.name AND l.linked = of.id",
    )
    .bind(scope.tenant.uuid())
    .bind(names)
    .bind(ids)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(name, linked, process)| ((name, linked), process)).collect())
}
