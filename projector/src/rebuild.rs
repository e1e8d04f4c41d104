//! The views built anew beside the live ones, from the first event on, by the same projections: in the schema
//! [`SCHEMA`], with a place of their own in the log, and with no effect on anything else: no document is published,
//! nobody is signalled. Once they have caught up they follow the live ones, never ahead of them, so that both can be
//! brought to the same point: to be compared ([`verify`]) and to change places ([`swap`]). After that the ones that
//! were live are kept up in the same way, for the way back.
//!
//! What is wanted stands in the table `views_standby`; `reindex views` writes it.

use crate::{
    deps::{Deps, RoleError},
    feed::{self, Target},
    metrics::of,
    projection::Moment,
    registry::{self, FEEDS},
};
use eventlog::{Offsets, Record, Source, consumer, database, leader};
use schemas::{Utc, topics::Context};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::time::Duration;
use tokio::time::Instant;

mod place;
mod swap;
mod tables;
mod verify;

pub use place::{PROJECTION, RebuildError};
pub use swap::{Swapped, swap};
pub use tables::SCHEMA;
pub use verify::{Difference, Proof, TableProof, verify};

const LOCK: &str = "souk:views-standby";
/// The set that is built, or kept up.
const STANDBY: Target = Target { name: PROJECTION, feeds: FEEDS, tells: None };
/// Most events in one transaction: it shares the database with the live views.
const BATCH: usize = 2_000;
/// Records that were read and wait for the live views, at most.
const WAITING: usize = 10 * BATCH;
/// How often what is wanted is looked at when nothing comes.
const LOOK: Duration = Duration::from_millis(200);
/// How long to wait for the live views, which are behind by a moment.
const BEHIND: Duration = Duration::from_millis(10);
/// How often scheduled work is done.
const TICK: Duration = Duration::from_secs(1);

/// Builds and follows as long as something is wanted.
///
/// # Errors
/// The database's or the broker's; the next start goes on from the stored offsets.
pub async fn run(deps: Deps) -> Result<(), RoleError> {
    deps.is_fit(PROJECTION);
    let mut connection = leader::lead(&deps.config.read_database_url, LOCK).await?;
    database::take_time(&mut connection).await?;
    loop {
        if wanted(&mut connection).await?.is_some() {
            follow(&deps, &mut connection).await?;
            sqlx::query("RESET search_path").execute(&mut connection).await?;
            deps.status.forget(PROJECTION);
            continue;
        }
        clear(&mut connection).await?;
        tokio::time::sleep(LOOK).await;
    }
}

/// Events a second the other set may take, if it is wanted at all.
async fn wanted(connection: &mut PgConnection) -> Result<Option<Option<i32>>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT rate_limit FROM public.views_standby WHERE state IN ('building', 'verified', 'previous')",
    )
    .fetch_optional(connection)
    .await
}

/// Drops what a set left behind that is no longer wanted.
async fn clear(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let left = tables::existing(&mut *connection).await?;
    if left.is_empty() {
        return Ok(());
    }
    let mut transaction = connection.begin().await?;
    tables::drop_all(&mut transaction, &left).await?;
    forget_place(&mut transaction).await?;
    tracing::info!(tables = left.len(), "the other set of views is gone");
    transaction.commit().await
}

async fn forget_place(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    for table in ["checkpoints", "projection_status"] {
        let sql = format!("DELETE FROM public.{table} WHERE projection = $1");
        sqlx::query(AssertSqlSafe(sql)).bind(PROJECTION).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Gives the other set up; its tables are dropped by the projector.
///
/// # Errors
/// The database's.
pub async fn give_up(connection: &mut PgConnection, note: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE views_standby SET state = 'cancelled', note = $1 WHERE state IN ('building', 'verified', 'previous')",
    )
    .bind(note)
    .execute(&mut *connection)
    .await?;
    forget_place(connection).await
}

async fn fail(connection: &mut PgConnection, note: &str) -> Result<(), sqlx::Error> {
    tracing::error!(reason = note, "the other set of views can't be built");
    sqlx::query("UPDATE public.views_standby SET state = 'failed', note = $1").bind(note).execute(connection).await?;
    Ok(())
}

/// Builds and follows until nothing is wanted any more.
async fn follow(deps: &Deps, connection: &mut PgConnection) -> Result<(), RoleError> {
    if let Err(reason) = tables::create(connection).await? {
        return Ok(fail(connection, &reason).await?);
    }
    let topics: Vec<_> = Context::ALL.into_iter().map(Context::topic).collect();
    let mut offsets = feed::begin_at(deps, connection, STANDBY, &deps.log.partitions(&topics)).await?;
    if let Some(reason) = cut_off(deps, &offsets)? {
        return Ok(fail(connection, &reason).await?);
    }
    sqlx::query(AssertSqlSafe(format!("SET search_path = {SCHEMA}, public"))).execute(&mut *connection).await?;
    let source = Source::open(&deps.log, "views.standby", &topics, &offsets)?;
    let (mut read, mut ticked) = (Vec::new(), Instant::now());
    loop {
        let Some(rate) = wanted(connection).await? else { return Ok(()) };
        // What waits for the live views keeps nothing else from being read: they may stand still until this set has
        // reached them, in other topics.
        let (patience, size) = (if read.is_empty() { LOOK } else { BEHIND }, batch_size(rate));
        if read.len() < WAITING {
            // A timeout is the next look falling due.
            if let Ok(batch) = tokio::time::timeout(patience, source.next_batch(size, consumer::BATCH_BYTES)).await {
                read.extend(batch?);
            }
        } else {
            tokio::time::sleep(patience).await;
        }
        let began = Instant::now();
        let live = place::live(connection).await?;
        let batch = take_live(&mut read, &live, size);
        if !batch.is_empty() {
            let next = consumer::next_offsets(&batch);
            feed::apply(deps, STANDBY, connection, &batch, &offsets, &next).await?;
            offsets.extend(next);
            deps.status.applied_batch(PROJECTION, &batch);
            deps.metrics.applied.get_or_create(&of(PROJECTION)).inc_by(batch.len() as u64);
            throttle(rate, batch.len(), began).await;
        }
        if ticked.elapsed() >= TICK {
            ticked = Instant::now();
            scheduled(connection).await?;
        }
    }
}

/// Takes up to `most` records that the live views have applied; the others stay in their order.
fn take_live(read: &mut Vec<Record>, live: &Offsets, most: usize) -> Vec<Record> {
    let mut room = most;
    let (taken, later) = std::mem::take(read).into_iter().partition(|record| {
        let is_taken = room > 0 && is_live(record, live);
        room -= usize::from(is_taken);
        is_taken
    });
    *read = later;
    taken
}

/// Whether the live views have applied a record.
fn is_live(record: &Record, live: &Offsets) -> bool {
    live.get(&(record.topic.clone(), record.partition)).is_some_and(|next| record.offset < *next)
}

/// Why the events can't be read from where they have to be, if so.
fn cut_off(deps: &Deps, offsets: &Offsets) -> Result<Option<String>, RoleError> {
    let extents = tokio::task::block_in_place(|| deps.log.extents())?;
    for key in deps.log.partitions(&Context::ALL.map(Context::topic)) {
        let (next, first) = (offsets.get(&key).copied().unwrap_or_default(), extents.get(&key).map_or(0, |at| at.0));
        if next < first {
            return Ok(Some(format!(
                "{}, partition {}, begins at {first}: the first events are gone from Kafka. `souk recover` publishes them once more",
                key.0, key.1
            )));
        }
    }
    Ok(None)
}

/// At most what may be taken in a second, so that a slow build moves on every second.
fn batch_size(rate: Option<i32>) -> usize {
    rate.and_then(|limit| usize::try_from(limit).ok()).map_or(BATCH, |limit| limit.clamp(1, BATCH))
}

/// Waits as long as the limit wants.
async fn throttle(rate: Option<i32>, events: usize, began: Instant) {
    let Some(limit) = rate.filter(|limit| *limit > 0) else { return };
    #[expect(clippy::cast_precision_loss, reason = "a duration")]
    let due = Duration::from_secs_f64(events as f64 / f64::from(limit));
    tokio::time::sleep(due.saturating_sub(began.elapsed())).await;
}

/// Scheduled work is done here as in the live views, and so is what operators decide on dead letters.
async fn scheduled(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(AssertSqlSafe(format!(
        "UPDATE {SCHEMA}.dead_letters AS own
         SET state = CASE live.state WHEN 'retried' THEN 'retrying' ELSE 'discarded' END,
             payload = live.payload, headers = live.headers
         FROM public.dead_letters AS live
         WHERE live.projection = ANY($1) AND live.state IN ('retried', 'discarded') AND own.state IN ('parked', 'queued')
           AND (own.topic, own.partition, own.record_offset) = (live.topic, live.partition, live.record_offset)"
    )))
    .bind(registry::names())
    .execute(&mut *connection)
    .await?;
    while feed::tick(STANDBY, connection, &Moment { now: Utc::now(), insight_retention_days: 0 }).await?.has_more {}
    // Nobody publishes what is composed here.
    sqlx::query(AssertSqlSafe(format!("DELETE FROM {SCHEMA}.document_outbox"))).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_build_takes_small_steps() {
        assert_eq!((batch_size(None), batch_size(Some(50)), batch_size(Some(1_000_000))), (BATCH, 50, BATCH));
    }

    fn record(partition: i32, offset: i64) -> Record {
        let (key, payload, headers) = (String::new(), None, Vec::new());
        Record { topic: "t".to_owned(), partition, offset, key, payload, headers }
    }

    #[test]
    fn nothing_is_taken_before_the_live_views_have_it() {
        let live = Offsets::from([(("t".to_owned(), 1), 5)]);
        assert!(is_live(&record(1, 4), &live));
        assert!(!is_live(&record(1, 5), &live) && !is_live(&record(1, 0), &Offsets::new()));
    }

    #[test]
    fn what_waits_keeps_its_order_and_lets_others_pass() {
        let live = Offsets::from([(("t".to_owned(), 1), 5), (("t".to_owned(), 2), 9)]);
        let mut read: Vec<Record> = [(1, 5), (2, 7), (1, 6), (2, 8), (2, 9)].map(|(p, at)| record(p, at)).into();
        let places = |records: &[Record]| records.iter().map(|one| (one.partition, one.offset)).collect::<Vec<_>>();
        assert_eq!(places(&take_live(&mut read, &live, 1)), [(2, 7)]);
        assert_eq!(places(&take_live(&mut read, &live, 10)), [(2, 8)]);
        assert_eq!(places(&read), [(1, 5), (1, 6), (2, 9)]);
    }
}
