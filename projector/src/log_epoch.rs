//! The epochs of the log: what Kafka holds can be lost, cut or left behind by a write database that was restored.
//! Then the outboxes, which keep everything, are published once more to topics of new names, so that no offset
//! kept anywhere can be mistaken for one of the new log; see docs/decisions/0014.
//!
//! A process that relays looks after the log ([`lost`]) and begins an epoch ([`begin`]), which first brings the
//! read side in line with what the write side recorded ([`realign`]). The others follow what it tells in the read
//! database. Every role asks [`Epochs::current`] before it starts, and is ended when the epoch moves on.

use crate::{
    config::Config,
    kafka, leader,
    role::{Deps, RoleError},
    status,
};
use rdkafka::producer::{FutureProducer, Producer};
use schemas::{Utc, topics};
use sqlx::{Connection, PgConnection};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex, watch},
    time::Instant,
};

mod begin;
mod lost;
mod realign;

pub use begin::begin;
pub use lost::{Extents, Positions, lost};
pub use realign::realign;

/// How often a process asks whether the epoch has moved on.
const WATCH: Duration = Duration::from_secs(1);
/// A log that was found whole so recently is not examined again: all roles of a process start together.
const FOUND_WHOLE: Duration = Duration::from_secs(1);
/// A log that seems lost is looked at again after this long: a cluster that just started tells late what it has.
const SECOND_LOOK: Duration = Duration::from_secs(2);
/// How long a process that does not relay waits for one that does.
const FOLLOW_WITHIN: Duration = Duration::from_secs(30);
const FOLLOW_POLL: Duration = Duration::from_millis(100);

/// What one process knows of the epochs.
#[derive(Clone)]
pub struct Epochs {
    /// The epoch in use; none while one is being begun.
    in_use: Arc<watch::Sender<Option<String>>>,
    state: Arc<Mutex<State>>,
}

impl std::fmt::Debug for Epochs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Epochs").field("in_use", &*self.in_use.borrow()).finish_non_exhaustive()
    }
}

struct State {
    examined: Option<(Instant, String)>,
    /// With the epoch it is for.
    producer: (String, FutureProducer),
}

impl Epochs {
    /// Before anything is known; the producer is used for the first epoch.
    #[must_use]
    pub fn new(producer: FutureProducer) -> Self {
        let state = State { examined: None, producer: (String::new(), producer) };
        Self { in_use: Arc::new(watch::Sender::new(None)), state: Arc::new(Mutex::new(state)) }
    }

    /// The epoch to work in and the producer for it, once its topics are there. Where the log was lost, this
    /// begins a new one.
    ///
    /// # Errors
    /// The databases' or the broker's.
    pub async fn current(&self, config: &Config) -> Result<(String, FutureProducer), RoleError> {
        let mut state = self.state.lock().await;
        let known =
            state.examined.as_ref().filter(|(at, _)| at.elapsed() < FOUND_WHOLE).map(|(_, epoch)| epoch.clone());
        let epoch = match known {
            Some(epoch) => epoch,
            None if config.relays() => look_after(config).await?,
            None => follow(config).await?,
        };
        state.examined = Some((Instant::now(), epoch.clone()));
        // What is told already wakes nobody.
        self.in_use.send_if_modified(|known| {
            let differs = known.as_ref() != Some(&epoch);
            *known = Some(epoch.clone());
            differs
        });
        if state.producer.0 != epoch {
            status::forget_logs();
        }
        if state.producer.0 != epoch || state.producer.1.client().fatal_error().is_some() {
            // A producer's number is the broker's; one that lost its log may give the same number to another.
            state.producer = (epoch, kafka::producer(config).create()?);
        }
        Ok(state.producer.clone())
    }

    /// Waits until another epoch is in use than this one, or none.
    pub async fn moved_from(&self, epoch: &str) {
        let mut in_use = self.in_use.subscribe();
        // It ends only with the process.
        let _ = in_use.wait_for(|now| now.as_deref() != Some(epoch)).await;
    }
}

/// Asks once a second which epoch is in use, until something fails.
///
/// # Errors
/// The databases'.
pub async fn watch(deps: &Deps) -> Result<(), RoleError> {
    let mut read = PgConnection::connect(&deps.config.read_database_url).await?;
    let mut write = None;
    if deps.config.relays() {
        write = Some(PgConnection::connect(&deps.config.write_database_url).await?);
    }
    let mut ticks = tokio::time::interval(WATCH);
    loop {
        ticks.tick().await;
        // No row: the first projector has not told yet.
        let Some(told) = told(&mut read).await? else { continue };
        let asked = match &mut write {
            Some(write) => asked_for(write).await?.is_some(),
            None => false,
        };
        let in_use = told.filter(|_| !asked);
        deps.epochs.in_use.send_if_modified(|known| {
            let differs = *known != in_use;
            *known = in_use;
            differs
        });
    }
}

/// What the read database tells: no row, or the epoch in use, or that one is being begun.
async fn told(read: &mut PgConnection) -> Result<Option<Option<String>>, sqlx::Error> {
    sqlx::query_scalar("SELECT CASE WHEN beginning IS NULL THEN epoch END FROM log_epoch").fetch_optional(read).await
}

/// The epoch the read side follows; none while one is being begun, or before the first projector has told.
///
/// # Errors
/// The database's.
pub async fn in_use(read: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    Ok(told(read).await?.flatten())
}

/// An epoch that was asked for and has not begun.
async fn asked_for(write: &mut PgConnection) -> Result<Option<(String, String)>, sqlx::Error> {
    sqlx::query_as("SELECT epoch, reason FROM log_epochs WHERE begun_at IS NULL ORDER BY epoch DESC LIMIT 1")
        .fetch_optional(write)
        .await
}

/// Makes sure that there is a whole log and says which: begins an epoch that was asked for, or a new one
/// where the log was lost.
async fn look_after(config: &Config) -> Result<String, RoleError> {
    let mut write = leader::lead(&config.write_database_url, "souk:log-epoch").await?;
    let mut read = PgConnection::connect(&config.read_database_url).await?;
    if let Some((epoch, reason)) = asked_for(&mut write).await? {
        begin(config, &mut write, &mut read, &epoch, &reason).await?;
        return Ok(epoch);
    }
    let epoch: Option<String> = sqlx::query_scalar("SELECT max(epoch) FROM log_epochs").fetch_one(&mut write).await?;
    let config = Config { log_epoch: epoch.unwrap_or_default(), ..config.clone() };
    if let Some(first) = why_lost(&config, &mut write, &mut read).await? {
        tracing::warn!(log.epoch = config.log_epoch, reason = first, "the log seems to be lost");
        tokio::time::sleep(SECOND_LOOK).await;
        if let Some(reason) = why_lost(&config, &mut write, &mut read).await? {
            let epoch = ask(&mut write, &config.log_epoch, &reason).await?;
            begin(&config, &mut write, &mut read, &epoch, &reason).await?;
            return Ok(epoch);
        }
    }
    kafka::ensure_topics(&config).await?;
    sqlx::query(
        "INSERT INTO log_epoch (epoch) VALUES ($1) ON CONFLICT (one) DO UPDATE
         SET epoch = excluded.epoch, beginning = NULL, since = now()
         WHERE log_epoch.epoch <> excluded.epoch OR log_epoch.beginning IS NOT NULL",
    )
    .bind(&config.log_epoch)
    .execute(&mut read)
    .await?;
    Ok(config.log_epoch)
}

async fn why_lost(
    config: &Config,
    write: &mut PgConnection,
    read: &mut PgConnection,
) -> Result<Option<String>, RoleError> {
    let positions = lost::positions(config, write, read).await?;
    let extents: Extents = tokio::task::block_in_place(|| kafka::extents(config))?;
    Ok(lost(config, &positions, &extents))
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
async fn follow(config: &Config) -> Result<String, RoleError> {
    let mut read = PgConnection::connect(&config.read_database_url).await?;
    let deadline = Instant::now() + FOLLOW_WITHIN;
    let mut ticks = tokio::time::interval(FOLLOW_POLL);
    loop {
        ticks.tick().await;
        if let Some(epoch) = in_use(&mut read).await? {
            let config = Config { log_epoch: epoch.clone(), ..config.clone() };
            let there = tokio::task::block_in_place(|| kafka::extents(&config))?;
            let expected: i32 = topics::all().iter().map(|topic| topic.partitions).sum();
            if usize::try_from(expected) == Ok(there.len()) {
                return Ok(epoch);
            }
        }
        if Instant::now() > deadline {
            return Err("the topics are not there: is a projector running that relays?".into());
        }
    }
}

/// Offsets by topic and partition.
type ByPartition<T> = BTreeMap<(String, i32), T>;
