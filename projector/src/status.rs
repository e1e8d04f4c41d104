//! How far each projection is: once a second into the read database and the metrics. A row that is
//! no longer renewed belongs to a process that died, and stays visible as such.
//!
//! What a lag means is judged by [`judgement`], how old it is told by [`arrivals`], and whose it is by [`tenants`].

use crate::{
    consumer::Record,
    database, kafka,
    metrics::{StateOf, TrendOf, of},
    role::{Deps, RoleError},
};
use judgement::{Sample, State, Window};
use rdkafka::consumer::{BaseConsumer, Consumer};
use schemas::{Timestamp, Utc};
use sqlx::PgConnection;
use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tenants::Tenants;

pub mod arrivals;
pub mod judgement;
mod observed;
pub mod tenants;

/// How often the status is written.
const INTERVAL: Duration = Duration::from_secs(1);
/// Each how many of these rounds the metrics of what other processes have written are read.
const OBSERVED_EACH: u32 = 5;

/// Where a projection stands in one partition, or a relay in its outbox.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The next offset it will read; for a relay, the rows it has sent since its start.
    pub next_offset: i64,
    /// The end of the log.
    pub end_offset: i64,
    /// Events between the two.
    pub lag_events: i64,
    /// Age of the oldest of them in seconds.
    pub lag_seconds: f64,
    /// Events a second since the last report.
    pub rate_per_second: f64,
}

#[derive(Debug, Clone)]
struct Part {
    progress: Progress,
    is_relay: bool,
    /// Whether a position was reported since the last round.
    committed: bool,
    last_event_time: Option<Timestamp>,
    measured_offset: i64,
    /// Whether the end of its partition is known.
    is_measured: bool,
    arrivals: arrivals::Arrivals,
    window: Window,
}

type Key = (String, String, i32);
static PARTS: LazyLock<Mutex<BTreeMap<Key, Part>>> = LazyLock::new(|| Mutex::new(BTreeMap::new()));
static FORGOTTEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
static TENANTS: LazyLock<Mutex<Tenants>> = LazyLock::new(|| Mutex::new(Tenants::default()));

fn with_parts<T>(f: impl FnOnce(&mut BTreeMap<Key, Part>) -> T) -> T {
    f(&mut PARTS.lock().unwrap_or_else(PoisonError::into_inner))
}

fn with_tenants<T>(f: impl FnOnce(&mut Tenants) -> T) -> T {
    f(&mut TENANTS.lock().unwrap_or_else(PoisonError::into_inner))
}

fn blank(next_offset: i64, is_relay: bool) -> Part {
    let progress =
        Progress { next_offset, end_offset: next_offset, lag_events: 0, lag_seconds: 0.0, rate_per_second: 0.0 };
    Part {
        progress,
        is_relay,
        committed: true,
        last_event_time: None,
        measured_offset: next_offset,
        is_measured: is_relay,
        arrivals: arrivals::Arrivals::default(),
        window: Window::default(),
    }
}

/// Records the state of a relay, measured by itself.
pub fn record(projection: &str, topic: &str, partition: i32, progress: Progress) {
    with_parts(|parts| {
        let part = parts.entry((projection.to_owned(), topic.to_owned(), partition)).or_insert_with(|| blank(0, true));
        (part.progress, part.committed) = (progress, true);
    });
}

/// Records what of each tenant waits in a relay's outbox; tenants that are not named have nothing there.
pub fn waiting(projection: &str, rows: &[tenants::Waiting]) {
    with_tenants(|tenants| tenants.waiting(projection, rows));
}

/// Records that a projection has applied everything below `next_offset`.
pub fn applied(projection: &str, topic: &str, partition: i32, next_offset: i64, event_time: Option<Timestamp>) {
    with_parts(|parts| {
        let part = parts
            .entry((projection.to_owned(), topic.to_owned(), partition))
            .or_insert_with(|| blank(next_offset, false));
        (part.progress.next_offset, part.committed) = (next_offset, true);
        part.last_event_time = event_time.or(part.last_event_time);
    });
}

/// The ends of a projection's partitions of a topic, as last measured.
#[must_use]
pub fn ends(projection: &str, topic: &str) -> BTreeMap<(String, i32), i64> {
    let of = |(key, part): (&Key, &Part)| {
        (key.0 == projection && key.1 == topic).then(|| ((key.1.clone(), key.2), part.progress.end_offset))
    };
    with_parts(|parts| parts.iter().filter_map(of).collect())
}

/// Records of a topic that a projection has not applied, as last measured; none before the first measurement.
#[must_use]
pub fn lag(projection: &str, topic: &str) -> Option<i64> {
    let left = |part: &Part| {
        let Progress { next_offset, end_offset, .. } = part.progress;
        part.is_measured.then_some((end_offset - next_offset).max(0))
    };
    with_parts(|parts| {
        let mut own = parts.iter().filter(|(key, _)| key.0 == projection && key.1 == topic).peekable();
        own.peek()?;
        own.map(|(_, part)| left(part)).sum()
    })
}

/// Stops reporting a projection that is no more, or has another name now. Its rows are deleted: where another process
/// runs it, they are back with its next report.
pub fn forget(projection: &str) {
    with_parts(|parts| parts.retain(|(name, _, _), _| name != projection));
    FORGOTTEN.lock().unwrap_or_else(PoisonError::into_inner).push(projection.to_owned());
}

/// Records that a projection has applied a batch.
pub fn applied_batch(projection: &str, batch: &[Record]) {
    let last: BTreeMap<(&str, i32), &Record> =
        batch.iter().map(|record| ((record.topic.as_str(), record.partition), record)).collect();
    for ((topic, partition), record) in last {
        let time = record.header("ce_time").and_then(|text| text.parse().ok());
        applied(projection, topic, partition, record.offset + 1, time);
    }
    with_tenants(|tenants| tenants.applied(projection, batch, Instant::now(), Utc::now()));
}

/// Forgets where every projection stood: the log has begun anew.
pub fn forget_logs() {
    with_parts(|parts| parts.retain(|_, part| part.is_relay));
}

/// Writes the status until something fails.
///
/// # Errors
/// The database's or the broker's.
pub async fn run(deps: Deps) -> Result<(), RoleError> {
    let consumer: BaseConsumer = kafka::client(&deps.config).create()?;
    let mut connection = database::connect(&deps.config.read_database_url).await?;
    forget_other_epochs(&deps, &mut connection).await?;
    let mut ticks = tokio::time::interval(INTERVAL);
    // A round that was late is not made up for: samples are a second apart.
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut round = 0_u32;
    deps.health.set("status", true, "");
    loop {
        ticks.tick().await;
        tokio::task::block_in_place(|| measure_ends(&consumer))?;
        let parts = with_parts(|parts| parts.clone());
        publish(&deps, &parts);
        delete_forgotten(&mut connection).await?;
        store(&mut connection, &parts).await?;
        let rows = with_tenants(|tenants| tenants.take_changed(Instant::now()));
        if let Err(error) = tenants::store(&mut connection, &rows).await {
            with_tenants(|tenants| tenants.not_stored(rows));
            return Err(error.into());
        }
        if round.is_multiple_of(OBSERVED_EACH) {
            observed::publish(&deps.metrics, &mut connection).await?;
        }
        round = round.wrapping_add(1);
    }
}

/// Rows about a log that is no longer written would look like consumers that died.
async fn forget_other_epochs(deps: &Deps, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let names: Vec<String> = schemas::topics::all().into_iter().map(|topic| deps.config.topic(topic)).collect();
    with_parts(|parts| parts.retain(|(_, topic, _), part| part.is_relay || names.contains(topic)));
    sqlx::query("DELETE FROM projection_status WHERE projection NOT LIKE 'relay:%' AND topic <> ALL($1)")
        .bind(names)
        .execute(connection)
        .await?;
    Ok(())
}

async fn delete_forgotten(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let names = std::mem::take(&mut *FORGOTTEN.lock().unwrap_or_else(PoisonError::into_inner));
    if names.is_empty() {
        return Ok(());
    }
    sqlx::query("DELETE FROM projection_status WHERE projection = ANY($1)").bind(names).execute(connection).await?;
    Ok(())
}

/// Asks the broker for the ends of the partitions and judges lag and trend.
fn measure_ends(consumer: &BaseConsumer) -> Result<(), RoleError> {
    // Before the ends, which only grow.
    let read: Vec<(Key, i64)> = with_parts(|parts| {
        let logs = parts.iter().filter(|(_, part)| !part.is_relay);
        logs.map(|(key, part)| (key.clone(), part.progress.next_offset)).collect()
    });
    let mut ends: BTreeMap<(String, i32), i64> = BTreeMap::new();
    for ((_, topic, partition), _) in &read {
        if let Entry::Vacant(unknown) = ends.entry((topic.clone(), *partition)) {
            unknown.insert(consumer.fetch_watermarks(topic, *partition, Duration::from_secs(5))?.1);
        }
    }
    shorter_than_read(&read, &ends)?;
    let (at, now) = (BEGAN.elapsed().as_secs_f64(), Utc::now());
    with_parts(|parts| {
        for ((_, topic, partition), part) in parts.iter_mut() {
            if let (false, Some(end)) = (part.is_relay, ends.get(&(topic.clone(), *partition))) {
                judge(part, *end, at, now);
            }
            let committed = std::mem::take(&mut part.committed);
            let Progress { next_offset, lag_events: lag, .. } = part.progress;
            part.window.push(Sample { next_offset, lag, committed });
        }
    });
    Ok(())
}

/// Fails where a log ends before what was read of it: the next start looks into that.
fn shorter_than_read(read: &[(Key, i64)], ends: &BTreeMap<(String, i32), i64>) -> Result<(), RoleError> {
    for ((projection, topic, partition), next) in read {
        if let Some(end) = ends.get(&(topic.clone(), *partition)).filter(|end| next > end) {
            let sentence =
                format!("{topic}, partition {partition}, ends at {end}, but {projection} has read up to {next}");
            return Err(sentence.into());
        }
    }
    Ok(())
}

fn judge(part: &mut Part, end: i64, at: f64, now: Timestamp) {
    let progress = &mut part.progress;
    progress.end_offset = end;
    progress.lag_events = (end - progress.next_offset).max(0);
    part.arrivals.look(at, end, progress.next_offset);
    #[expect(clippy::cast_precision_loss, reason = "seconds and rates for people")]
    {
        progress.lag_seconds = if progress.lag_events == 0 {
            0.0
        } else {
            // Of what waited before this process began to look is known only that it is newer than what was applied.
            let applied_age =
                || part.last_event_time.map_or(0.0, |time| (now - time).num_milliseconds().max(0) as f64 / 1e3);
            part.arrivals.age(at, progress.next_offset).unwrap_or_else(applied_age)
        };
        progress.rate_per_second = (progress.next_offset - part.measured_offset) as f64 / INTERVAL.as_secs_f64();
    }
    part.measured_offset = progress.next_offset;
    part.is_measured = true;
}

/// A projection over all its partitions.
#[derive(Debug, Default)]
struct Sum {
    lag_events: i64,
    lag_seconds: f64,
    state: Option<State>,
    history: Vec<i64>,
}

fn publish(deps: &Deps, parts: &BTreeMap<Key, Part>) {
    let mut sums: BTreeMap<&str, Sum> = BTreeMap::new();
    for ((projection, _, _), part) in parts {
        let (sum, lags) = (sums.entry(projection).or_default(), part.window.recent_lags());
        sum.lag_events += part.progress.lag_events;
        sum.lag_seconds = sum.lag_seconds.max(part.progress.lag_seconds);
        sum.state = sum.state.max(Some(part.window.state()));
        sum.history.resize(sum.history.len().max(lags.len()), 0);
        lags.iter().enumerate().for_each(|(index, lag)| sum.history[index] += lag);
    }
    for (projection, sum) in sums {
        deps.metrics.lag_events.get_or_create(&of(projection)).set(sum.lag_events);
        deps.metrics.lag_seconds.get_or_create(&of(projection)).set(sum.lag_seconds);
        let catch_up = judgement::catch_up_seconds(&sum.history).unwrap_or(f64::INFINITY);
        deps.metrics.catch_up_seconds.get_or_create(&of(projection)).set(catch_up);
        let holds = judgement::trend(&sum.history);
        for name in ["growing", "steady", "draining", "idle"] {
            let label = TrendOf { name: projection.to_owned(), trend: name.to_owned() };
            deps.metrics.lag_trend.get_or_create(&label).set(i64::from(name == holds));
        }
        for state in State::ALL {
            let label = StateOf { name: projection.to_owned(), state: state.name().to_owned() };
            deps.metrics.lag_state.get_or_create(&label).set(i64::from(sum.state == Some(state)));
        }
    }
}

async fn store(connection: &mut PgConnection, parts: &BTreeMap<Key, Part>) -> Result<(), sqlx::Error> {
    let column = |f: fn(&Progress) -> i64| parts.values().map(|part| f(&part.progress)).collect::<Vec<_>>();
    let number = |f: fn(&Progress) -> f64| parts.values().map(|part| f(&part.progress)).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO projection_status (projection, topic, partition, next_offset, end_offset, lag_events, lag_seconds, trend,
                                        rate_per_second, state, catch_up_seconds, heartbeat_at)
         SELECT p, t, n, o, e, l, s, d, r, j, c, now()
         FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::float8[], $8::text[],
                     $9::float8[], $10::text[], $11::float8[])
              AS rows(p, t, n, o, e, l, s, d, r, j, c)
         ON CONFLICT (projection, topic, partition) DO UPDATE
         SET next_offset = excluded.next_offset, end_offset = excluded.end_offset, lag_events = excluded.lag_events,
             lag_seconds = excluded.lag_seconds, trend = excluded.trend, rate_per_second = excluded.rate_per_second,
             state = excluded.state, catch_up_seconds = excluded.catch_up_seconds, heartbeat_at = excluded.heartbeat_at",
    )
    .bind(parts.keys().map(|(projection, _, _)| projection.as_str()).collect::<Vec<_>>())
    .bind(parts.keys().map(|(_, topic, _)| topic.as_str()).collect::<Vec<_>>())
    .bind(parts.keys().map(|(_, _, partition)| *partition).collect::<Vec<_>>())
    .bind(column(|progress| progress.next_offset))
    .bind(column(|progress| progress.end_offset))
    .bind(column(|progress| progress.lag_events))
    .bind(number(|progress| progress.lag_seconds))
    .bind(parts.values().map(|part| part.window.trend()).collect::<Vec<_>>())
    .bind(number(|progress| progress.rate_per_second))
    .bind(parts.values().map(|part| part.window.state().name()).collect::<Vec<_>>())
    .bind(parts.values().map(|part| judgement::catch_up_seconds(&part.window.recent_lags())).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_event_after_an_idle_hour_is_not_an_hour_late() {
        let mut part = blank(10, false);
        let now = Utc::now();
        part.last_event_time = Some(now - Duration::from_secs(3_600));
        judge(&mut part, 10, 0.0, now);
        assert_eq!((part.progress.lag_events, part.progress.lag_seconds), (0, 0.0));
        judge(&mut part, 11, 1.0, now);
        assert_eq!((part.progress.lag_events, part.progress.lag_seconds), (1, 0.0));
        judge(&mut part, 11, 3.0, now);
        assert_eq!((part.progress.lag_events, part.progress.lag_seconds), (1, 2.0));
    }

    #[test]
    fn a_backlog_from_before_the_start_is_as_old_as_what_was_applied_of_it() {
        let (mut part, now) = (blank(0, false), Utc::now());
        judge(&mut part, 900, 0.0, now);
        assert_eq!(part.progress.lag_seconds, 0.0, "nothing is known yet");
        part.progress.next_offset = 10;
        part.last_event_time = Some(now - Duration::from_secs(50));
        judge(&mut part, 900, 1.0, now);
        assert_eq!((part.progress.lag_events, part.progress.lag_seconds), (890, 50.0));
        assert_eq!(part.progress.rate_per_second, 10.0);
    }
}
