//! The status written: once a second into the read database and the metrics. A row that is no longer renewed belongs
//! to a process that died, and stays visible as such.

use super::{Key, LOOK_SECONDS, Part, Progress, judgement::State, observed, tenants};
use crate::{
    deps::{Deps, RoleError},
    metrics::{StateOf, TRENDS, TrendOf, of},
};
use eventlog::{database, log::Ends};
use sqlx::PgConnection;
use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    time::Duration,
};

/// Each how many of these rounds the metrics of what other processes have written are read.
const OBSERVED_EACH: u32 = 5;

/// Writes the status until something fails.
///
/// # Errors
/// The database's or the broker's.
pub async fn run(deps: Deps) -> Result<(), RoleError> {
    let ends = Ends::ask(&deps.log)?;
    let mut connection = database::connect(&deps.config.read_database_url).await?;
    forget_other_epochs(&deps, &mut connection).await?;
    let mut ticks = tokio::time::interval(Duration::from_secs_f64(LOOK_SECONDS));
    // A round that was late is not made up for: samples are a second apart.
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut round, mut published) = (0_u32, BTreeSet::new());
    deps.health.set("status", true, "");
    loop {
        ticks.tick().await;
        tokio::task::block_in_place(|| measure_ends(&deps, &ends))?;
        let parts = deps.status.parts();
        publish(&deps, &parts);
        let told: BTreeSet<String> = parts.keys().map(|(projection, _, _)| projection.clone()).collect();
        published.difference(&told).for_each(|projection| deps.metrics.forget_lag(projection));
        published = told;
        delete_forgotten(&deps, &mut connection).await?;
        store(&mut connection, &parts).await?;
        let rows = deps.status.take_changed_tenants();
        if let Err(error) = tenants::store(&mut connection, deps.status.process(), &rows).await {
            deps.status.tenants_not_stored(rows);
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
    let names: Vec<String> = schemas::topics::all().into_iter().map(|topic| deps.log.topic(topic)).collect();
    deps.status.keep_topics(&names);
    sqlx::query("DELETE FROM projection_status WHERE projection NOT LIKE 'relay:%' AND topic <> ALL($1)")
        .bind(names)
        .execute(connection)
        .await?;
    Ok(())
}

async fn delete_forgotten(deps: &Deps, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let names = deps.status.take_forgotten();
    if names.is_empty() {
        return Ok(());
    }
    sqlx::query("DELETE FROM projection_status WHERE projection = ANY($1)").bind(names).execute(connection).await?;
    Ok(())
}

/// Asks the broker for the ends of the partitions and judges lag and trend.
fn measure_ends(deps: &Deps, cluster: &Ends) -> Result<(), RoleError> {
    // Before the ends, which only grow.
    let read = deps.status.positions();
    let mut ends: BTreeMap<(String, i32), i64> = BTreeMap::new();
    for ((_, topic, partition), _) in &read {
        if let Entry::Vacant(unknown) = ends.entry((topic.clone(), *partition)) {
            unknown.insert(cluster.of(topic, *partition)?.1);
        }
    }
    shorter_than_read(&read, &ends)?;
    deps.status.measured(&ends);
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

fn publish(deps: &Deps, parts: &BTreeMap<Key, Part>) {
    let mut lags: BTreeMap<&str, (i64, f64)> = BTreeMap::new();
    for ((projection, _, _), part) in parts {
        let (events, seconds) = lags.entry(projection).or_default();
        *events += part.progress.lag_events;
        *seconds = seconds.max(part.progress.lag_seconds);
    }
    for (projection, (events, seconds)) in lags {
        deps.metrics.lag_events.get_or_create(&of(projection)).set(events);
        deps.metrics.lag_seconds.get_or_create(&of(projection)).set(seconds);
    }
    for (projection, window) in deps.status.wholes() {
        let verdict = window.verdict();
        let catch_up = verdict.catch_up_seconds.unwrap_or(f64::INFINITY);
        deps.metrics.catch_up_seconds.get_or_create(&of(&projection)).set(catch_up);
        for name in TRENDS {
            let label = TrendOf { name: projection.clone(), trend: name.to_owned() };
            deps.metrics.lag_trend.get_or_create(&label).set(i64::from(name == verdict.trend));
        }
        for state in State::ALL {
            let label = StateOf { name: projection.clone(), state: state.name().to_owned() };
            deps.metrics.lag_state.get_or_create(&label).set(i64::from(verdict.state == state));
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
    .bind(parts.values().map(|part| part.verdict.trend).collect::<Vec<_>>())
    .bind(number(|progress| progress.rate_per_second))
    .bind(parts.values().map(|part| part.verdict.state.name()).collect::<Vec<_>>())
    .bind(parts.values().map(|part| part.verdict.catch_up_seconds).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
