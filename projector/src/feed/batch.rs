//! A batch of a feed: one transaction, or one key after the other where an event is to blame for a failure.

use super::Target;
use crate::{
    blame,
    deps::{Deps, RoleError},
    gaps::{self, FoundGap, Place},
    metrics::of,
    projections::sources::Refused,
    readers,
};
use eventlog::{Event, Offsets, Record, checkpoint, dead_letter, event::decode};
use schemas::{Timestamp, Utc, dead_letter::DeadLetterState, envelope::Envelope};
use sqlx::{Connection, PgConnection};
use std::collections::{BTreeMap, HashSet};

/// Why an event is kept that could be applied.
pub(super) const BEHIND: &str = "an earlier event of this key is parked";

/// Applies a batch and counts it.
pub(super) async fn apply_counted(
    deps: &Deps,
    target: Target,
    connection: &mut PgConnection,
    batch: &[Record],
    known: &Offsets,
    next: &Offsets,
) -> Result<(), RoleError> {
    let parked = apply(deps, target, connection, batch, known, next).await?;
    deps.metrics.applied.get_or_create(&of(target.name)).inc_by(batch.len() as u64);
    deps.metrics.dead_letters.get_or_create(&of(target.name)).inc_by(parked);
    deps.status.applied_batch(target.name, batch);
    Ok(())
}

/// Applies a batch in one transaction; where an event is to blame for a failure, key by key. What is missing between
/// two versions is taken from the outbox. Gives how many events were parked or queued.
///
/// # Errors
/// The databases', or that somebody else has moved the checkpoint.
pub async fn apply(
    deps: &Deps,
    target: Target,
    connection: &mut PgConnection,
    batch: &[Record],
    known: &Offsets,
    next: &Offsets,
) -> Result<u64, RoleError> {
    let mut attempt = Attempt { now: Utc::now(), key_by_key: false, parks_gaps: false };
    let mut filled: Option<Vec<Record>> = None;
    loop {
        let records = filled.as_deref().unwrap_or(batch);
        match try_batch(target, connection, records, known, next, attempt).await {
            Err(BatchError::Gaps(gaps)) => {
                let more = gaps::fill(&deps.outboxes, records, &gaps).await?;
                // What the outbox lacks, too, is an operator's.
                attempt.parks_gaps = more.len() == records.len();
                deps.metrics.gaps.get_or_create(&of(target.name)).inc_by(gaps.len() as u64);
                filled = Some(more);
            }
            Err(BatchError::Database(error)) if !attempt.key_by_key && blame::is_of_data(&error) => {
                tracing::warn!(%error, "a batch was refused; trying key by key");
                attempt.key_by_key = true;
            }
            outcome => return Ok(outcome?),
        }
    }
}

/// How a batch is tried.
#[derive(Clone, Copy)]
struct Attempt {
    now: Timestamp,
    key_by_key: bool,
    /// Whether the outbox was asked for what is missing: what is missing still is an operator's.
    parks_gaps: bool,
}

#[derive(Debug, thiserror::Error)]
enum BatchError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Checkpoint(#[from] checkpoint::CheckpointError),
    #[error("versions are missing that were never seen here")]
    Gaps(Vec<FoundGap>),
}

/// One transaction over the batch; gives how many events were parked or queued.
async fn try_batch(
    target: Target,
    connection: &mut PgConnection,
    batch: &[Record],
    known: &Offsets,
    next: &Offsets,
    attempt: Attempt,
) -> Result<u64, BatchError> {
    let Attempt { now, key_by_key, parks_gaps } = attempt;
    let decoded: Vec<(&Record, Result<Event, String>)> = batch.iter().map(|record| (record, decode(record))).collect();
    let events: Vec<&Event> = decoded.iter().filter_map(|(_, event)| event.as_ref().ok()).collect();
    let mut transaction = connection.begin().await?;
    checkpoint::advance(&mut transaction, target.name, known, next).await?;
    // Key by key, rows are written in no order that others could share: then nobody else does anything meanwhile.
    target.hold(&mut transaction, &events, key_by_key).await?;
    let mut closed = dead_letter::closed_keys(&mut transaction, target.name).await?;
    let (mut groups, mut kept) = (BTreeMap::<&str, (Vec<Event>, Vec<&Record>)>::new(), 0);
    for (record, event) in decoded {
        if closed.contains(&record.key) {
            queue(target, &mut transaction, record, BEHIND).await?;
            kept += 1;
            continue;
        }
        match event {
            Ok(event) => {
                trace(&event.envelope);
                let group = groups.entry(if key_by_key { &record.key } else { "" }).or_default();
                group.0.push(event);
                group.1.push(record);
            }
            Err(reason) => {
                park(target, &mut transaction, record, &reason).await?;
                closed.insert(record.key.clone());
                kept += 1;
            }
        }
    }
    let mut gaps = Vec::new();
    for (events, records) in groups.into_values() {
        let refused = if key_by_key {
            apply_alone(target, &mut transaction, &events, now).await?
        } else {
            target.project(&mut transaction, &events, now).await?
        };
        let found = refused.iter().filter(|_| !parks_gaps).filter_map(|one| Some((one.index, one.gap.clone()?)));
        gaps.extend(found.map(|(index, gap)| FoundGap { at: Place::of(records[index]), gap }));
        kept += keep_refused(target, &mut transaction, &refused, &records).await?;
    }
    if !gaps.is_empty() {
        return Err(BatchError::Gaps(gaps));
    }
    if let Some(changed) = target.tells {
        readers::tell(&mut transaction, changed).await?;
    }
    transaction.commit().await?;
    Ok(kept)
}

/// The event's part of its request's trace.
fn trace(envelope: &Envelope) {
    let span = tracing::debug_span!("views.event", event.id = %envelope.id, correlation.id = %envelope.correlation_id);
    service::request::continue_trace(&span, envelope.traceparent.as_deref());
    span.in_scope(|| tracing::debug!(event.type = %envelope.event_type, "projected"));
}

/// Applies the events of one key behind a savepoint; all of them are refused if the database refuses one.
async fn apply_alone(
    target: Target,
    transaction: &mut PgConnection,
    events: &[Event],
    now: Timestamp,
) -> Result<Vec<Refused>, sqlx::Error> {
    let mut savepoint = transaction.begin().await?;
    match target.project(&mut savepoint, events, now).await {
        Ok(refused) => {
            savepoint.commit().await?;
            Ok(refused)
        }
        Err(error) if blame::is_of_data(&error) => {
            savepoint.rollback().await?;
            let reason = |index| if index == 0 { error.to_string() } else { BEHIND.to_owned() };
            Ok((0..events.len()).map(|index| Refused { index, reason: reason(index), gap: None }).collect())
        }
        Err(error) => Err(error),
    }
}

async fn keep_refused(
    target: Target,
    connection: &mut PgConnection,
    refused: &[Refused],
    records: &[&Record],
) -> Result<u64, sqlx::Error> {
    let mut parked: HashSet<&str> = HashSet::new();
    for one in refused {
        let record = records[one.index];
        if parked.insert(&record.key) {
            park(target, connection, record, &one.reason).await?;
        } else {
            queue(target, connection, record, &one.reason).await?;
        }
    }
    Ok(refused.len() as u64)
}

async fn park(target: Target, connection: &mut PgConnection, record: &Record, reason: &str) -> Result<(), sqlx::Error> {
    tracing::error!(
        event.key = %record.key, event.topic = %record.topic, event.partition = record.partition, event.offset = record.offset,
        correlation.id = record.header("ce_soukcorrelation").unwrap_or_default(), error = reason,
        "an event can't be applied and is parked"
    );
    dead_letter::keep(connection, target.name, record, DeadLetterState::Parked, reason).await
}

async fn queue(
    target: Target,
    connection: &mut PgConnection,
    record: &Record,
    reason: &str,
) -> Result<(), sqlx::Error> {
    dead_letter::keep(connection, target.name, record, DeadLetterState::Queued, reason).await
}
