//! How far each projection is: once a second into the read database and the metrics. A row that is
//! no longer renewed belongs to a consumer that died, and stays visible as such.

use crate::{
    consumer::Record,
    kafka,
    metrics::{TrendOf, of},
    role::{Deps, RoleError},
};
use rdkafka::consumer::{BaseConsumer, Consumer};
use schemas::{Timestamp, Utc};
use sqlx::{Connection, PgConnection};
use std::{
    collections::{BTreeMap, VecDeque, btree_map::Entry},
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

/// How often the status is written.
const INTERVAL: Duration = Duration::from_secs(1);
/// Seconds of history a trend is judged by.
const HISTORY: usize = 10;

/// Where a projection stands in one partition, or a relay in its outbox.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The next offset it will read.
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
    last_event_time: Option<Timestamp>,
    measured_offset: i64,
    history: VecDeque<i64>,
}

type Key = (String, String, i32);
static PARTS: LazyLock<Mutex<BTreeMap<Key, Part>>> = LazyLock::new(|| Mutex::new(BTreeMap::new()));

fn with_parts<T>(f: impl FnOnce(&mut BTreeMap<Key, Part>) -> T) -> T {
    f(&mut PARTS.lock().unwrap_or_else(PoisonError::into_inner))
}

fn blank(next_offset: i64, is_relay: bool) -> Part {
    let progress =
        Progress { next_offset, end_offset: next_offset, lag_events: 0, lag_seconds: 0.0, rate_per_second: 0.0 };
    Part { progress, is_relay, last_event_time: None, measured_offset: next_offset, history: VecDeque::new() }
}

/// Records the state of a relay, measured by itself.
pub fn record(projection: &str, topic: &str, partition: i32, progress: Progress) {
    with_parts(|parts| {
        let part = parts.entry((projection.to_owned(), topic.to_owned(), partition)).or_insert_with(|| blank(0, true));
        part.progress = progress;
    });
}

/// Records that a projection has applied everything below `next_offset`.
pub fn applied(projection: &str, topic: &str, partition: i32, next_offset: i64, event_time: Option<Timestamp>) {
    with_parts(|parts| {
        let part = parts
            .entry((projection.to_owned(), topic.to_owned(), partition))
            .or_insert_with(|| blank(next_offset, false));
        part.progress.next_offset = next_offset;
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

/// Stops reporting a projection that is no more, or has another name now.
pub fn forget(projection: &str) {
    with_parts(|parts| parts.retain(|(name, _, _), _| name != projection));
}

/// Records that a projection has applied a batch.
pub fn applied_batch(projection: &str, batch: &[Record]) {
    let last: BTreeMap<(&str, i32), &Record> =
        batch.iter().map(|record| ((record.topic.as_str(), record.partition), record)).collect();
    for ((topic, partition), record) in last {
        let time = record.header("ce_time").and_then(|text| text.parse().ok());
        applied(projection, topic, partition, record.offset + 1, time);
    }
}

/// Forgets where every projection stood: the log has begun anew.
pub fn forget_logs() {
    with_parts(|parts| parts.retain(|_, part| part.is_relay));
}

/// The trend of a lag over the last seconds, oldest first, as lag tools such as Burrow judge it.
#[must_use]
pub fn trend(history: &[i64]) -> &'static str {
    let (Some(first), Some(last)) = (history.first(), history.last()) else { return "idle" };
    // A lag that was gone at any moment of the window is the ordinary breathing of a live consumer.
    match (last, first) {
        (0, _) => "idle",
        _ if history.contains(&0) => "steady",
        (last, first) if last > first => "growing",
        (last, first) if last < first => "draining",
        _ => "steady",
    }
}

/// Writes the status until something fails.
///
/// # Errors
/// The database's or the broker's.
pub async fn run(deps: Deps) -> Result<(), RoleError> {
    let consumer: BaseConsumer = kafka::client(&deps.config).create()?;
    let mut connection = PgConnection::connect(&deps.config.read_database_url).await?;
    sqlx::query("SET synchronous_commit = off").execute(&mut connection).await?;
    forget_other_epochs(&deps, &mut connection).await?;
    let mut ticks = tokio::time::interval(INTERVAL);
    deps.health.set("status", true, "");
    loop {
        ticks.tick().await;
        tokio::task::block_in_place(|| measure_ends(&consumer))?;
        let parts = with_parts(|parts| parts.clone());
        publish(&deps, &parts);
        store(&mut connection, &parts).await?;
        let open: Vec<(String, i64)> = sqlx::query_as(
            "SELECT projection, count(*) FROM dead_letters WHERE state IN ('parked', 'queued', 'retrying') GROUP BY projection",
        )
        .fetch_all(&mut connection)
        .await?;
        for (projection, count) in open {
            deps.metrics.dead_letters_open.get_or_create(&of(&projection)).set(count);
        }
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
    let now = Utc::now();
    with_parts(|parts| {
        for ((_, topic, partition), part) in parts.iter_mut() {
            if let (false, Some(end)) = (part.is_relay, ends.get(&(topic.clone(), *partition))) {
                judge(part, *end, now);
            }
            part.history.push_back(part.progress.lag_events);
            if part.history.len() > HISTORY {
                part.history.pop_front();
            }
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

fn judge(part: &mut Part, end: i64, now: Timestamp) {
    let progress = &mut part.progress;
    progress.end_offset = end;
    progress.lag_events = (end - progress.next_offset).max(0);
    let age = part.last_event_time.map_or(0, |time| (now - time).num_milliseconds().max(0));
    #[expect(clippy::cast_precision_loss, reason = "seconds and rates for people")]
    {
        progress.lag_seconds = if progress.lag_events == 0 { 0.0 } else { age as f64 / 1e3 };
        progress.rate_per_second = (progress.next_offset - part.measured_offset) as f64 / INTERVAL.as_secs_f64();
    }
    part.measured_offset = progress.next_offset;
}

fn publish(deps: &Deps, parts: &BTreeMap<Key, Part>) {
    let mut sums: BTreeMap<&str, (i64, f64, Vec<i64>)> = BTreeMap::new();
    for ((projection, _, _), part) in parts {
        let sum = sums.entry(projection).or_default();
        sum.0 += part.progress.lag_events;
        sum.1 = sum.1.max(part.progress.lag_seconds);
        sum.2.resize(sum.2.len().max(part.history.len()), 0);
        part.history.iter().enumerate().for_each(|(index, lag)| sum.2[index] += lag);
    }
    for (projection, (events, seconds, history)) in sums {
        deps.metrics.lag_events.get_or_create(&of(projection)).set(events);
        deps.metrics.lag_seconds.get_or_create(&of(projection)).set(seconds);
        let holds = trend(&history);
        for name in ["growing", "steady", "draining", "idle"] {
            let label = TrendOf { name: projection.to_owned(), trend: name.to_owned() };
            deps.metrics.lag_trend.get_or_create(&label).set(i64::from(name == holds));
        }
    }
}

async fn store(connection: &mut PgConnection, parts: &BTreeMap<Key, Part>) -> Result<(), sqlx::Error> {
    let column = |f: fn(&Progress) -> i64| parts.values().map(|part| f(&part.progress)).collect::<Vec<_>>();
    let number = |f: fn(&Progress) -> f64| parts.values().map(|part| f(&part.progress)).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO projection_status (projection, topic, partition, next_offset, end_offset, lag_events, lag_seconds, trend,
                                        rate_per_second, heartbeat_at)
         SELECT p, t, n, o, e, l, s, d, r, now()
         FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::float8[], $8::text[], $9::float8[])
              AS rows(p, t, n, o, e, l, s, d, r)
         ON CONFLICT (projection, topic, partition) DO UPDATE
         SET next_offset = excluded.next_offset, end_offset = excluded.end_offset, lag_events = excluded.lag_events,
             lag_seconds = excluded.lag_seconds, trend = excluded.trend, rate_per_second = excluded.rate_per_second,
             heartbeat_at = excluded.heartbeat_at",
    )
    .bind(parts.keys().map(|(projection, _, _)| projection.as_str()).collect::<Vec<_>>())
    .bind(parts.keys().map(|(_, topic, _)| topic.as_str()).collect::<Vec<_>>())
    .bind(parts.keys().map(|(_, _, partition)| *partition).collect::<Vec<_>>())
    .bind(column(|progress| progress.next_offset))
    .bind(column(|progress| progress.end_offset))
    .bind(column(|progress| progress.lag_events))
    .bind(number(|progress| progress.lag_seconds))
    .bind(parts.values().map(|part| trend(&part.history.iter().copied().collect::<Vec<_>>())).collect::<Vec<_>>())
    .bind(number(|progress| progress.rate_per_second))
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::trend;

    #[test]
    fn a_trend_is_judged_by_the_window() {
        assert_eq!(trend(&[]), "idle");
        assert_eq!(trend(&[5, 3, 0]), "idle");
        assert_eq!(trend(&[1, 2, 3]), "growing");
        assert_eq!(trend(&[3, 2, 1]), "draining");
        assert_eq!(trend(&[2, 2, 2]), "steady");
        assert_eq!(trend(&[0, 4, 9]), "steady");
    }
}
