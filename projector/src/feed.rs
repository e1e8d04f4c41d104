//! A feed at work: domain events of its contexts to the read database. Rows, documents and offsets are one
//! transaction, so that effects are exactly once though delivery is at least once.
//!
//! Several processes share its partitions ([`Shares`]): each has one lane, over all partitions that it holds. What the
//! lanes may not do at once is in [`crate::holds`].

use crate::{
    deps::{Deps, RoleError},
    holds,
    projection::Registered,
    projections::sources::{self, Refused},
    registry::Feed,
};
use eventlog::{
    Event, Offsets, Record, RoundSize, Source, checkpoint, consumer,
    database::{self, Plans},
    leader::{MOST_SHARES, Shares},
    linger::Linger,
};
use schemas::{Timestamp, signals::Changed, topics::Context};
use sqlx::PgConnection;
use std::time::{Duration, Instant};
use tokio::time::{Interval, MissedTickBehavior};

mod batch;
mod gone;
mod scheduled;
mod standstill;

pub use batch::apply;
pub use scheduled::{Done, tick};

/// How often scheduled work and dead letters to retry are looked for.
const TICK: Duration = Duration::from_secs(1);
/// Between two steps of scheduled work that has more to do: events that have come meanwhile are applied before the next, always.
const BREATH: Duration = Duration::from_millis(4);

/// Follows a feed until something fails, in the partitions that this process has its part of.
///
/// # Errors
/// The database's or the broker's; the next start continues from the stored offsets.
pub async fn run(deps: Deps, feed: &'static Feed) -> Result<(), RoleError> {
    deps.is_fit(feed.name);
    let url = &deps.config.read_database_url;
    let mut connection = database::connect(url).await?;
    database::take_time(&mut connection).await?;
    let count = deps.log.epoch.partitions.min(MOST_SHARES);
    let shares = Shares::join(&mut connection, url, &feed.lock(), count).await?;
    let (target, partitions) = (Target::live(feed), deps.log.partitions(&feed.topics()));
    checkpoint::prepare(&mut connection, target.name, &partitions).await?;
    let lane = Lane {
        deps,
        target,
        partitions,
        connection,
        shares,
        offsets: Offsets::default(),
        source: None,
        linger: Linger::default(),
        plans: Plans::default(),
        size: RoundSize::default(),
    };
    lane.work().await
}

/// What one process does of a feed: one connection, one transaction at a time.
struct Lane {
    deps: Deps,
    target: Target,
    /// All of the feed's.
    partitions: Vec<(String, i32)>,
    connection: PgConnection,
    shares: Shares,
    /// Where it goes on.
    offsets: Offsets,
    /// None while it holds nothing.
    source: Option<Source>,
    linger: Linger,
    plans: Plans,
    size: RoundSize,
}

/// What is to be done next.
enum Turn {
    Batch(Vec<Record>),
    Spread,
    Tick,
}

impl Lane {
    async fn work(mut self) -> Result<(), RoleError> {
        let mut ticks = tokio::time::interval(TICK);
        // Whoever becomes the scheduler late has missed none.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            match self.next(&mut ticks).await? {
                Turn::Batch(batch) => self.apply(&batch).await?,
                Turn::Spread => self.spread().await?,
                Turn::Tick => {
                    self.plans.anew(&mut self.connection).await?;
                    if scheduled::work(&self.deps, self.target, &mut self.connection).await?.has_more {
                        ticks.reset_after(BREATH);
                    }
                }
            }
        }
    }

    async fn next(&mut self, ticks: &mut Interval) -> Result<Turn, RoleError> {
        let Self { shares, source, linger, size, .. } = self;
        // One process does the scheduled work: whoever has the first partitions.
        let is_scheduler = shares.has(0);
        let next_batch = async {
            let Some(source) = source else { return std::future::pending().await };
            linger.due().await;
            source.next_batch(size.records(), size.bytes()).await
        };
        tokio::select! {
            batch = next_batch => Ok(Turn::Batch(batch?)),
            told = shares.unsettled() => told.map(|()| Turn::Spread).map_err(Into::into),
            _ = ticks.tick(), if is_scheduler => Ok(Turn::Tick),
        }
    }

    async fn apply(&mut self, batch: &[Record]) -> Result<(), RoleError> {
        self.linger.begin();
        self.plans.suit(&mut self.connection, batch.len()).await?;
        let next = consumer::next_offsets(batch);
        let began = Instant::now();
        batch::apply_counted(&self.deps, self.target, &mut self.connection, batch, &self.offsets, &next).await?;
        self.size.learn(batch, began.elapsed());
        self.offsets.extend(next.clone());
        if let Some(source) = &self.source {
            source.publish_offsets(&next);
        }
        Ok(())
    }

    /// Takes its part of the partitions, between two batches. Those it holds are read anew from where they stand.
    async fn spread(&mut self) -> Result<(), RoleError> {
        if !self.shares.spread(&mut self.connection).await? {
            return Ok(());
        }
        let held = |(_, partition): &&(String, i32)| self.shares.has(*partition);
        let own: Vec<(String, i32)> = self.partitions.iter().filter(held).cloned().collect();
        self.source = None;
        self.deps.status.follows(self.target.name, &own);
        if !own.is_empty() {
            self.offsets = begin_at(&self.deps, &mut self.connection, self.target, &own).await?;
            self.source = Some(Source::of(&self.deps.log, self.target.name, &own, &self.offsets)?);
        }
        Ok(())
    }
}

impl Drop for Lane {
    /// Where its partitions are from now on, others tell.
    fn drop(&mut self) {
        self.deps.status.follows(self.target.name, &[]);
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

    fn contexts(self) -> Vec<Context> {
        self.feeds.iter().flat_map(Feed::contexts).collect()
    }

    /// Keeps other transactions from what events touch, before they are applied, or from doing anything at all; see
    /// [`holds`].
    ///
    /// # Errors
    /// The database's.
    pub async fn hold(self, transaction: &mut PgConnection, events: &[&Event], alone: bool) -> Result<(), sqlx::Error> {
        holds::gate(transaction, self.name, alone).await?;
        for projection in self.projections() {
            projection.hold(transaction, events).await?;
        }
        Ok(())
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

/// Where a set of views goes on in each of some partitions, told to those who watch.
///
/// # Errors
/// The database's.
pub async fn begin_at(
    deps: &Deps,
    connection: &mut PgConnection,
    target: Target,
    partitions: &[(String, i32)],
) -> Result<Offsets, sqlx::Error> {
    checkpoint::prepare(connection, target.name, partitions).await?;
    let offsets = checkpoint::load(connection, target.name).await?;
    for (topic, partition) in partitions {
        let next = offsets.get(&(topic.clone(), *partition)).copied().unwrap_or_default();
        deps.status.applied(target.name, topic, *partition, next, None);
    }
    Ok(offsets)
}
