//! A feed at work: domain events of its contexts to the read database. Rows, documents and offsets are one
//! transaction, so that effects are exactly once though delivery is at least once.

use crate::{
    blame,
    deps::{Deps, RoleError},
    gaps::{self, FoundGap, Place},
    metrics::of,
    projection::{Moment, Registered},
    projections::sources::{self, Refused},
    readers,
    registry::Feed,
};
use eventlog::{
    Event, Offsets, Record, RoundSize, Source, checkpoint, consumer,
    database::{self, Plans},
    dead_letter,
    event::decode,
    leader,
    linger::Linger,
};
use schemas::{Timestamp, Utc, dead_letter::DeadLetterState, envelope::Envelope, signals::Changed, topics::Topic};
use sqlx::{Connection, PgConnection};
use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, Instant},
};

/// Keys whose dead letters are tried again in one tick; the others wait for the next.
const KEYS_PER_TICK: usize = 100;
/// How often scheduled work and dead letters to retry are looked for.
const TICK: Duration = Duration::from_secs(1);

/// Why an event is kept that could be applied.
const BEHIND: &str = "an earlier event of this key is parked";

/// Follows a feed until something fails.
///
/// # Errors
/// The database's or the broker's; the next start continues from the stored offsets.
pub async fn run(deps: Deps, feed: &'static Feed) -> Result<(), RoleError> {
    deps.is_fit(feed.name);
    let mut connection = leader::lead(&deps.config.read_database_url, &feed.lock()).await?;
    database::take_time(&mut connection).await?;
    let (target, topics) = (Target::live(feed), feed.topics());
    let mut offsets = begin_at(&deps, &mut connection, target, &topics).await?;
    let source = Source::open(&deps.log, feed.name, &topics, &offsets)?;
    let mut ticks = tokio::time::interval(TICK);
    let (mut linger, mut plans, mut size) = (Linger::default(), Plans::default(), RoundSize::default());
    loop {
        let next_batch = async {
            linger.due().await;
            source.next_batch(size.records(), size.bytes()).await
        };
        tokio::select! {
            batch = next_batch => {
                let batch = batch?;
                linger.begin();
                plans.suit(&mut connection, batch.len()).await?;
                let next = consumer::next_offsets(&batch);
                let began = Instant::now();
                apply_batch(&deps, target, &mut connection, &batch, &offsets, &next).await?;
                size.learn(&batch, began.elapsed());
                offsets.extend(next.clone());
                source.publish_offsets(&next);
                deps.documents_written.notify_one();
            }
            _ = ticks.tick() => {
                plans.anew(&mut connection).await?;
                let done = scheduled(&deps, target, &mut connection).await?;
                if done.changed + done.retried > 0 {
                    deps.documents_written.notify_one();
                }
                if done.has_more {
                    ticks.reset_immediately();
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
    pub name: &'static str,
    /// The feeds whose projections apply the events.
    pub feeds: &'static [Feed],
    /// What readers are told of changes, if they are.
    pub tells: Option<Changed>,
}

impl Target {
    /// What shoppers see of a feed.
    #[must_use]
    pub const fn live(feed: &'static Feed) -> Self {
        Self { name: feed.name, feeds: std::slice::from_ref(feed), tells: Some(feed.changes) }
    }

    fn projections(self) -> impl Iterator<Item = &'static Registered> {
        self.feeds.iter().flat_map(|feed| feed.projections)
    }

    /// Applies events in order; gives those that can't be applied, with which the later events of the same key are
    /// left out too.
    ///
    /// # Errors
    /// The database's; then nothing of this may be kept.
    pub async fn project(
        self,
        connection: &mut PgConnection,
        events: &[Event],
        now: Timestamp,
    ) -> Result<Vec<Refused>, sqlx::Error> {
        let (new, refused) = sources::advance(connection, events).await?;
        for projection in self.projections() {
            projection.apply(connection, &new, now).await?;
        }
        Ok(refused)
    }
}

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
    checkpoint::prepare(connection, target.name, &partitions).await?;
    let offsets = checkpoint::load(connection, target.name).await?;
    for (topic, partition) in partitions {
        let next = offsets.get(&(topic.clone(), partition)).copied().unwrap_or_default();
        deps.status.applied(target.name, &topic, partition, next, None);
    }
    Ok(offsets)
}

/// Applies a batch and counts it.
async fn apply_batch(
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
    let mut transaction = connection.begin().await?;
    checkpoint::advance(&mut transaction, target.name, known, next).await?;
    let mut closed = dead_letter::closed_keys(&mut transaction, target.name).await?;
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

/// Scheduled work of a feed.
async fn scheduled(deps: &Deps, target: Target, connection: &mut PgConnection) -> Result<Done, RoleError> {
    let at = Moment { now: Utc::now(), insight_retention_days: deps.config.insight_retention_days };
    let done = tick(target, connection, &at).await?;
    deps.metrics.applied.get_or_create(&of(target.name)).inc_by(done.retried as u64);
    deps.metrics.searches_pruned.inc_by(done.pruned);
    Ok(done)
}

/// What one round of scheduled work has done.
#[derive(Debug, Clone, Copy, Default)]
pub struct Done {
    /// Rows that readers see in another form now.
    pub changed: usize,
    /// Dead letters that were applied.
    pub retried: usize,
    /// Rows that were deleted by age.
    pub pruned: u64,
    /// Whether there is more to do at once.
    pub has_more: bool,
}

/// Does the scheduled work of the projections, and tries dead letters again that an operator wants tried.
///
/// # Errors
/// The database's.
pub async fn tick(target: Target, connection: &mut PgConnection, at: &Moment) -> Result<Done, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    // Whoever holds the checkpoint wants the views to stand still.
    sqlx::query("SELECT FROM checkpoints WHERE projection = $1 FOR SHARE")
        .bind(target.name)
        .execute(&mut *transaction)
        .await?;
    let mut done = Done::default();
    for projection in target.projections() {
        let ticked = projection.tick(&mut transaction, at).await?;
        (done.changed, done.pruned) = (done.changed + ticked.changed, done.pruned + ticked.pruned);
        done.has_more |= ticked.has_more;
    }
    done.changed += usize::try_from(sources::pass_discarded(&mut transaction).await?).unwrap_or(usize::MAX);
    for _ in 0..KEYS_PER_TICK {
        let letters = dead_letter::to_retry(&mut transaction, target.name).await?;
        if letters.is_empty() {
            break;
        }
        done.retried += retry(target, &mut transaction, letters).await?;
    }
    if done.changed + done.retried > 0 {
        if let Some(changed) = target.tells {
            readers::tell(&mut transaction, changed).await?;
        }
        tracing::info!(
            projection = target.name,
            rows.changed = done.changed,
            dead_letters.retried = done.retried,
            "scheduled work is done"
        );
    }
    transaction.commit().await?;
    Ok(done)
}

/// Tries the events of one key again, in order, until one fails.
async fn retry(
    target: Target,
    transaction: &mut PgConnection,
    letters: Vec<(i64, Record)>,
) -> Result<usize, sqlx::Error> {
    let mut done = 0;
    for (id, record) in letters {
        let mut savepoint = transaction.begin().await?;
        let outcome = match decode(&record) {
            Ok(event) => match target.project(&mut savepoint, &[event], Utc::now()).await {
                Ok(refused) => refused.first().map_or(Ok(()), |one| Err(one.reason.clone())),
                Err(error) if blame::is_of_data(&error) => Err(error.to_string()),
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
