//! The epochs of the log: what Kafka holds can be lost, cut or left behind by a write database that was restored.
//! Then the outboxes, which keep everything, are published once more to topics of new names, so that no offset
//! kept anywhere can be mistaken for one of the new log; see docs/decisions/0014.
//!
//! A process that relays looks after the log ([`lost`]) and begins an epoch ([`begin`]), which first brings the
//! read side in line with what the write side recorded ([`realign`]). The others follow what it tells in the read
//! database. Every role asks [`current`] before it starts, and is ended when the epoch moves on.

use crate::{
    config::Config,
    deps::{Deps, RoleError},
    retention,
};
use eventlog::{
    Epoch, Log,
    archive::ArchiveError,
    database, leader,
    log::{FutureProducer, TopicError},
};
use schemas::{Utc, topics};
use sqlx::PgConnection;
use std::time::Duration;
use tokio::time::Instant;

pub mod begin;
pub mod lost;
pub mod realign;

/// How often a process asks whether the epoch has moved on.
const WATCH: Duration = Duration::from_secs(1);
/// A log that was found whole so recently is not examined again: all roles of a process start together.
const FOUND_WHOLE: Duration = Duration::from_secs(1);
/// A log that seems lost is looked at again after this long: a cluster that just started tells late what it has.
const SECOND_LOOK: Duration = Duration::from_secs(2);
/// How long a process that does not relay waits for one that does.
const FOLLOW_WITHIN: Duration = Duration::from_secs(30);
const FOLLOW_POLL: Duration = Duration::from_millis(100);

/// The epoch to work in and the producer for it, once its topics are there. Where the log was lost, this begins a
/// new one.
///
/// # Errors
/// The databases' or the broker's.
pub async fn current(deps: &Deps) -> Result<(Epoch, FutureProducer), RoleError> {
    let mut state = deps.epochs.lock().await;
    let known = state.examined.as_ref().filter(|(at, _)| at.elapsed() < FOUND_WHOLE).map(|(_, epoch)| epoch.clone());
    let epoch = match known {
        Some(epoch) => epoch,
        None if deps.config.relays() => {
            // What a process was started with is compared once: `souk recover --partitions` may have its way while it runs.
            let starts = state.examined.is_none();
            look_after(&deps.config, starts).await?
        }
        None => follow(&deps.config).await?,
    };
    state.examined = Some((Instant::now(), epoch.clone()));
    deps.epochs.tell(Some(epoch.name.clone()));
    let (producer, moved) = state.producer(&deps.config.log(epoch.clone()))?;
    if moved {
        deps.status.forget_logs();
    }
    Ok((epoch, producer))
}

/// Asks once a second which epoch is in use, until something fails.
///
/// # Errors
/// The databases'.
pub async fn watch(deps: &Deps) -> Result<(), RoleError> {
    let mut read = database::connect_durable(&deps.config.read_database_url).await?;
    let mut write = None;
    if deps.config.relays() {
        write = Some(database::connect_durable(&deps.config.write_database_url).await?);
    }
    let mut ticks = tokio::time::interval(WATCH);
    loop {
        ticks.tick().await;
        // No row: the first projector has not told yet.
        let Some(told) = told(&mut read).await? else { continue };
        let told = told.map(|epoch| epoch.name);
        let asked = match &mut write {
            Some(write) => asked_for(write).await?.is_some(),
            None => false,
        };
        let in_use = told.filter(|_| !asked);
        deps.epochs.tell(in_use);
    }
}

/// What the read database tells: no row, or the epoch in use, or that one is being begun.
async fn told(read: &mut PgConnection) -> Result<Option<Option<Epoch>>, sqlx::Error> {
    let row: Option<(Option<String>, i32)> =
        sqlx::query_as("SELECT CASE WHEN beginning IS NULL THEN epoch END, partitions FROM log_epoch")
            .fetch_optional(read)
            .await?;
    Ok(row.map(|(name, partitions)| name.map(|name| Epoch { name, partitions })))
}

/// The epoch the read side follows; none while one is being begun, or before the first projector has told.
///
/// # Errors
/// The database's.
pub async fn in_use(read: &mut PgConnection) -> Result<Option<Epoch>, sqlx::Error> {
    Ok(told(read).await?.flatten())
}

/// An epoch that was asked for and has not begun: its name, the reason, and its partitions if they were named.
async fn asked_for(write: &mut PgConnection) -> Result<Option<(String, String, Option<i32>)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT epoch, reason, partitions FROM log_epochs WHERE begun_at IS NULL AND refused IS NULL
         ORDER BY epoch DESC LIMIT 1",
    )
    .fetch_optional(write)
    .await
}

/// The epoch that began last, as the write database has recorded it; none before the first start.
async fn recorded(write: &mut PgConnection) -> Result<Option<Epoch>, sqlx::Error> {
    let row: Option<(String, i32)> = sqlx::query_as(
        "SELECT epoch, partitions FROM log_epochs WHERE begun_at IS NOT NULL ORDER BY epoch DESC LIMIT 1",
    )
    .fetch_optional(write)
    .await?;
    Ok(row.map(|(name, partitions)| Epoch { name, partitions }))
}

/// Why a log with so many partitions is not the one that the settings ask for, as a sentence; none if it is.
fn differs(has: i32, set: Option<i32>) -> Option<String> {
    let set = set?;
    (set != has).then(|| {
        format!(
            "topic-partitions is {set}, but the log of this installation has {has} partitions: set it to {has} or leave it out; to change the log, run `souk recover --partitions {set}`"
        )
    })
}

/// Makes sure that there is a whole log and says which: begins an epoch that was asked for, or a new one
/// where the log was lost.
async fn look_after(config: &Config, starts: bool) -> Result<Epoch, RoleError> {
    let mut write = leader::lead(&config.write_database_url, "souk:log-epoch").await?;
    let mut read = database::connect_durable(&config.read_database_url).await?;
    for connection in [&mut write, &mut read] {
        database::take_time(connection).await?;
    }
    let (recorded, asked) = (recorded(&mut write).await?, asked_for(&mut write).await?);
    let will_have = asked.as_ref().and_then(|(_, _, partitions)| *partitions);
    let will_have = will_have.or(recorded.as_ref().map(|epoch| epoch.partitions));
    if let Some(reason) = will_have.filter(|_| starts).and_then(|has| differs(has, config.topic_partitions)) {
        return Err(reason.into());
    }
    let epoch = recorded.unwrap_or_else(|| Epoch::first(config.topic_partitions));
    if let Some((name, reason, _)) = asked {
        let log = config.log(Epoch { name, partitions: will_have.unwrap_or(epoch.partitions) });
        if is_possible(config, &log, &mut write).await? {
            begin::begin(config, &log, &mut write, &mut read, &reason).await?;
            return Ok(log.epoch);
        }
    }
    let log = config.log(epoch);
    if let Some(seems) = why_lost(&log, &mut write, &mut read).await? {
        tracing::warn!(log.epoch = log.epoch.name, reason = seems, "the log seems to be lost");
        tokio::time::sleep(SECOND_LOOK).await;
        if let Some(reason) = why_lost(&log, &mut write, &mut read).await? {
            retention::check(&mut write, &config.archive_dir).await?;
            let name = ask(&mut write, &log.epoch.name, &reason).await?;
            let log = log.in_epoch(Epoch { name, ..log.epoch.clone() });
            begin::begin(config, &log, &mut write, &mut read, &reason).await?;
            return Ok(log.epoch);
        }
    }
    log.ensure_topics().await?;
    tell(&log.epoch, &mut write, &mut read).await?;
    Ok(log.epoch)
}

/// Records the first epoch, once its topics are there, and tells the read side which one is in use.
async fn tell(epoch: &Epoch, write: &mut PgConnection, read: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO log_epochs (epoch, reason, begun_at, partitions) VALUES ($1, 'the first start', now(), $2)
         ON CONFLICT DO NOTHING",
    )
    .bind(&epoch.name)
    .bind(epoch.partitions)
    .execute(write)
    .await?;
    sqlx::query(
        "INSERT INTO log_epoch (epoch, partitions) VALUES ($1, $2) ON CONFLICT (one) DO UPDATE
         SET epoch = excluded.epoch, partitions = excluded.partitions, beginning = NULL, since = now()
         WHERE log_epoch.epoch <> excluded.epoch OR log_epoch.beginning IS NOT NULL",
    )
    .bind(&epoch.name)
    .bind(epoch.partitions)
    .execute(read)
    .await?;
    Ok(())
}

async fn why_lost(log: &Log, write: &mut PgConnection, read: &mut PgConnection) -> Result<Option<String>, RoleError> {
    let positions = lost::positions(log, write, read).await?;
    let extents = tokio::task::block_in_place(|| log.extents())?;
    Ok(lost::lost(log, &positions, &extents))
}

/// Whether an epoch that was asked for can begin: the cluster takes its topics, and the archive has all that it has to tell.
/// If not, the epoch is refused with the reason, and the log in use goes on.
async fn is_possible(config: &Config, log: &Log, write: &mut PgConnection) -> Result<bool, RoleError> {
    let reason = match log.ensure_topics().await {
        // A cluster tells of a topic that it has just made a moment later.
        Err(error @ (TopicError::Kafka(_) | TopicError::Partitions { found: 0, .. })) => return Err(error.into()),
        Err(reason @ (TopicError::Refused(..) | TopicError::Partitions { .. })) => reason.to_string(),
        Ok(()) => match retention::check(write, &config.archive_dir).await {
            Ok(()) => return Ok(true),
            Err(ArchiveError::Database(error)) => return Err(error.into()),
            Err(reason) => reason.to_string(),
        },
    };
    let epoch = log.epoch.name.as_str();
    tracing::error!(log.epoch = epoch, reason, "the epoch that was asked for is refused");
    sqlx::query("UPDATE log_epochs SET refused = $2 WHERE epoch = $1").bind(epoch).bind(reason).execute(write).await?;
    Ok(false)
}

/// Records that a new epoch is wanted; its name is the time, and above that of the epoch in use.
async fn ask(write: &mut PgConnection, current: &str, reason: &str) -> Result<String, sqlx::Error> {
    let epoch = topics::epoch_after(current, Utc::now());
    sqlx::query("INSERT INTO log_epochs (epoch, reason) VALUES ($1, $2)")
        .bind(&epoch)
        .bind(reason)
        .execute(write)
        .await?;
    Ok(epoch)
}

/// Waits until a process that relays has told of an epoch whose topics are there.
async fn follow(config: &Config) -> Result<Epoch, RoleError> {
    let mut read = database::connect_durable(&config.read_database_url).await?;
    let deadline = Instant::now() + FOLLOW_WITHIN;
    let mut ticks = tokio::time::interval(FOLLOW_POLL);
    loop {
        ticks.tick().await;
        if let Some(epoch) = in_use(&mut read).await? {
            let log = config.log(epoch);
            let there = tokio::task::block_in_place(|| log.extents())?;
            if there.len() == log.partitions(&topics::all()).len() {
                return Ok(log.epoch);
            }
        }
        if Instant::now() > deadline {
            return Err("the topics are not there: is a projector running that relays?".into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_number_of_partitions_is_refused_and_none_is_any() {
        assert_eq!(differs(4, None), None);
        assert_eq!(differs(4, Some(4)), None);
        let reason = differs(4, Some(12)).expect("refused");
        assert!(reason.contains("has 4 partitions"), "{reason}");
        assert!(reason.contains("recover --partitions 12"), "{reason}");
    }
}
