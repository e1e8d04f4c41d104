//! The views projection: domain events to the read database. Rows, documents and offsets are one
//! transaction, so that effects are exactly once though delivery is at least once.

use crate::{
    deps::{Deps, RoleError},
    metrics::of,
    projections::{self, insights::retention, products},
};
use eventlog::{
    Event, Offsets, Record, Source, checkpoint, consumer, database::Plans, dead_letter, event::decode, leader,
    linger::Linger,
};
use schemas::{
    Days, Timestamp, Utc,
    dead_letter::DeadLetterState,
    envelope::Envelope,
    signals::{self, Changed},
    topics::{Context, Topic},
};
use sqlx::{Connection, PgConnection};
use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

/// The projection's name in checkpoints, status and metrics.
pub const PROJECTION: &str = "views";
/// The lock of the one process that projects views.
pub const LOCK: &str = "souk:views";
/// Most events in one transaction.
const BATCH: usize = 8_000;
/// Keys whose dead letters are tried again in one tick; the others wait for the next.
const KEYS_PER_TICK: usize = 100;
/// How often due prices and dead letters to retry are looked for.
const TICK: Duration = Duration::from_secs(1);

/// Why an event is kept that could be applied.
const BEHIND: &str = "an earlier event of this key is parked";

/// Projects until something fails.
///
/// # Errors
/// The database's or the broker's; the next start continues from the stored offsets.
pub async fn run(deps: Deps) -> Result<(), RoleError> {
    let mut connection = leader::lead(&deps.config.read_database_url, LOCK).await?;
    let topics: Vec<_> = Context::ALL.into_iter().map(Context::topic).collect();
    let mut offsets = begin_at(&deps, &mut connection, LIVE, &topics).await?;
    let source = Source::open(&deps.log, PROJECTION, &topics, &offsets)?;
    deps.health.set(PROJECTION, true, "");
    let mut ticks = tokio::time::interval(TICK);
    let (mut linger, mut plans) = (Linger::default(), Plans::default());
    loop {
        let next_batch = async {
            linger.due().await;
            source.next_batch(BATCH).await
        };
        tokio::select! {
            batch = next_batch => {
                let batch = batch?;
                linger.begin();
                plans.suit(&mut connection, batch.len()).await?;
                let next = consumer::next_offsets(&batch);
                apply_batch(&deps, &mut connection, &batch, &offsets, &next).await?;
                offsets.extend(next.clone());
                source.publish_offsets(&next);
                deps.documents_written.notify_one();
            }
            _ = ticks.tick() => {
                plans.anew(&mut connection).await?;
                if by_the_clock(&deps, &mut connection).await? {
                    deps.documents_written.notify_one();
                }
            }
        }
    }
}

/// Which set of views events are applied to: the live one, or one that is built beside it, where the connection's
/// `search_path` names its tables first.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name in checkpoints, status and metrics.
    pub projection: &'static str,
    /// Whether readers are told of changes.
    pub tells: bool,
}

/// What shoppers see.
const LIVE: Target = Target { projection: PROJECTION, tells: true };

/// Where a set of views goes on in each partition, told to those who watch.
///
/// # Errors
/// The database's.
pub async fn begin_at(
    deps: &Deps,
    connection: &mut PgConnection,
    target: Target,
    topics: &[Topic],
) -> Result<Offsets, sqlx::Error> {
    let partitions = deps.log.partitions(topics);
    checkpoint::prepare(connection, target.projection, &partitions).await?;
    let offsets = checkpoint::load(connection, target.projection).await?;
    for (topic, partition) in partitions {
        let next = offsets.get(&(topic.clone(), partition)).copied().unwrap_or_default();
        deps.status.applied(target.projection, &topic, partition, next, None);
    }
    Ok(offsets)
}

/// Applies a batch and counts it.
async fn apply_batch(
    deps: &Deps,
    connection: &mut PgConnection,
    batch: &[Record],
    known: &Offsets,
    next: &Offsets,
) -> Result<(), RoleError> {
    let parked = apply(LIVE, connection, batch, known, next).await?;
    deps.metrics.applied.get_or_create(&of(PROJECTION)).inc_by(batch.len() as u64);
    deps.metrics.dead_letters.get_or_create(&of(PROJECTION)).inc_by(parked);
    deps.status.applied_batch(PROJECTION, batch);
    Ok(())
}

/// Applies a batch in one transaction; where an event is to blame for a failure, key by key. Gives how many events
/// were parked or queued.
///
/// # Errors
/// The database's, or that somebody else has moved the checkpoint.
pub async fn apply(
    target: Target,
    connection: &mut PgConnection,
    batch: &[Record],
    known: &Offsets,
    next: &Offsets,
) -> Result<u64, RoleError> {
    let now = Utc::now();
    let outcome = match try_batch(target, connection, batch, known, next, now, false).await {
        Err(BatchError::Database(error)) if blames_data(&error) => {
            tracing::warn!(%error, "a batch was refused; trying key by key");
            try_batch(target, connection, batch, known, next, now, true).await
        }
        outcome => outcome,
    };
    Ok(outcome?)
}

#[derive(Debug, thiserror::Error)]
enum BatchError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Checkpoint(#[from] checkpoint::CheckpointError),
}

/// Whether a value of an event, rather than the server, made a statement fail: SQLSTATE classes 22
/// (data exception), 23 (constraint) and 54 (limit), or a body that can't be read.
fn blames_data(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| ["22", "23", "54"].contains(&&code[..2.min(code.len())]))
        }
        sqlx::Error::Decode(_) | sqlx::Error::Encode(_) => true,
        _ => false,
    }
}

/// One transaction over the batch; gives how many events were parked or queued.
async fn try_batch(
    target: Target,
    connection: &mut PgConnection,
    batch: &[Record],
    known: &Offsets,
    next: &Offsets,
    now: Timestamp,
    key_by_key: bool,
) -> Result<u64, BatchError> {
    let mut transaction = connection.begin().await?;
    checkpoint::advance(&mut transaction, target.projection, known, next).await?;
    let mut closed = dead_letter::closed_keys(&mut transaction, target.projection).await?;
    let (mut groups, mut kept) = (BTreeMap::<&str, (Vec<Event>, Vec<&Record>)>::new(), 0);
    for record in batch {
        if closed.contains(&record.key) {
            queue(target, &mut transaction, record, BEHIND).await?;
            kept += 1;
            continue;
        }
        match decode(record) {
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
    let changed = groups.values().flat_map(|(events, _)| events).map(changes).max().unwrap_or(Changed::Figures);
    for (events, records) in groups.into_values() {
        kept += if key_by_key {
            apply_alone(target, &mut transaction, &events, &records, now).await?
        } else {
            let refused = projections::project(&mut transaction, &events, now).await?;
            keep_refused(target, &mut transaction, &refused, &records).await?
        };
    }
    if target.tells {
        tell(&mut transaction, changed).await?;
    }
    transaction.commit().await?;
    Ok(kept)
}

/// Which views follow from an event.
fn changes(event: &Event) -> Changed {
    match event.envelope.context {
        Context::Insights => Changed::Figures,
        Context::Merchandising => Changed::Anything,
        _ => Changed::Products,
    }
}

/// Wakes the readers once the transaction is committed.
///
/// # Errors
/// The database's.
pub async fn tell(transaction: &mut PgConnection, changed: Changed) -> Result<(), sqlx::Error> {
    let signal = sqlx::query("SELECT pg_notify($1, $2)").bind(signals::VIEWS_CHANGED).bind(changed.payload());
    signal.execute(transaction).await.map(|_| ())
}

/// The event's part of its request's trace.
fn trace(envelope: &Envelope) {
    let span = tracing::debug_span!("views.event", event.id = %envelope.id, correlation.id = %envelope.correlation_id);
    service::request::continue_trace(&span, envelope.traceparent.as_deref());
    span.in_scope(|| tracing::debug!(event.type = %envelope.event_type, "projected"));
}

/// Applies the events of one key behind a savepoint; parks the first and queues the rest if they fail.
async fn apply_alone(
    target: Target,
    transaction: &mut PgConnection,
    events: &[Event],
    records: &[&Record],
    now: Timestamp,
) -> Result<u64, sqlx::Error> {
    let mut savepoint = transaction.begin().await?;
    match projections::project(&mut savepoint, events, now).await {
        Ok(refused) => {
            let kept = keep_refused(target, &mut savepoint, &refused, records).await?;
            savepoint.commit().await?;
            Ok(kept)
        }
        Err(error) if blames_data(&error) => {
            savepoint.rollback().await?;
            for (index, record) in records.iter().enumerate() {
                if index == 0 {
                    park(target, transaction, record, &error.to_string()).await?;
                } else {
                    queue(target, transaction, record, BEHIND).await?;
                }
            }
            Ok(records.len() as u64)
        }
        Err(error) => Err(error),
    }
}

async fn keep_refused(
    target: Target,
    connection: &mut PgConnection,
    refused: &[projections::Refused],
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
    dead_letter::keep(connection, target.projection, record, DeadLetterState::Parked, reason).await
}

async fn queue(
    target: Target,
    connection: &mut PgConnection,
    record: &Record,
    reason: &str,
) -> Result<(), sqlx::Error> {
    dead_letter::keep(connection, target.projection, record, DeadLetterState::Queued, reason).await
}

/// What time brings; gives whether anything changed.
async fn by_the_clock(deps: &Deps, connection: &mut PgConnection) -> Result<bool, RoleError> {
    let (due, retried) = due(LIVE, connection).await?;
    deps.metrics.applied.get_or_create(&of(PROJECTION)).inc_by(retried as u64);
    let days = u64::from(deps.config.insight_retention_days);
    if days > 0
        && let Some(before) = Utc::now().date_naive().checked_sub_days(Days::new(days))
    {
        deps.metrics.searches_pruned.inc_by(retention::prune(connection, before).await?);
    }
    Ok(due + retried > 0)
}

/// Scheduled prices, and dead letters that an operator wants tried again; gives how many of each.
///
/// # Errors
/// The database's.
pub async fn due(target: Target, connection: &mut PgConnection) -> Result<(usize, usize), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    // Whoever holds the checkpoint wants the views to stand still.
    sqlx::query("SELECT FROM checkpoints WHERE projection = $1 FOR SHARE")
        .bind(target.projection)
        .execute(&mut *transaction)
        .await?;
    let due = products::project_due_prices(&mut transaction, Utc::now()).await?;
    let mut retried = 0;
    for _ in 0..KEYS_PER_TICK {
        let letters = dead_letter::to_retry(&mut transaction, target.projection).await?;
        if letters.is_empty() {
            break;
        }
        retried += retry(&mut transaction, letters).await?;
    }
    if due + retried > 0 {
        if target.tells {
            tell(&mut transaction, Changed::Anything).await?;
        }
        tracing::info!(
            projection = target.projection,
            prices.due = due,
            dead_letters.retried = retried,
            "projected by the clock"
        );
    }
    transaction.commit().await?;
    Ok((due, retried))
}

/// Tries the events of one key again, in order, until one fails.
async fn retry(transaction: &mut PgConnection, letters: Vec<(i64, Record)>) -> Result<usize, sqlx::Error> {
    let mut done = 0;
    for (id, record) in letters {
        let mut savepoint = transaction.begin().await?;
        let outcome = match decode(&record) {
            Ok(event) => match projections::project(&mut savepoint, &[event], Utc::now()).await {
                Ok(refused) => refused.first().map_or(Ok(()), |one| Err(one.reason.clone())),
                Err(error) if blames_data(&error) => Err(error.to_string()),
                Err(error) => return Err(error),
            },
            Err(reason) => Err(reason),
        };
        match outcome {
            Ok(()) => {
                dead_letter::settle(&mut savepoint, id).await?;
                savepoint.commit().await?;
                done += 1;
            }
            Err(reason) => {
                savepoint.rollback().await?;
                dead_letter::park_again(transaction, id, &reason).await?;
                break;
            }
        }
    }
    Ok(done)
}
