//! A rolling update: the databases are migrated, and the processes of one release are replaced by those of another, one by
//! one, each once the one before is ready.

use super::{
    faults::Outcome,
    fleet::{Fleet, NODES},
    load::Load,
    member::Member,
    release::Release,
    scenario::told,
    shelf::Shelf,
};
use crate::BenchError;
use reindex::{CommandContext, promote, rollback, watch::Limits};
use search::generation::Format;
use serde::Serialize;
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use std::{
    fmt,
    path::{Path, PathBuf},
    time::Instant,
};

/// Commands that are acknowledged before the next process is replaced: the releases work beside each other.
const WRITTEN: u64 = 20;
/// Seconds in which query-apis follow a switch of the index.
const FOLLOWED_WITHIN: u64 = 60;
/// What is done to a process.
const FORTH: &str = "to this release";
const BACK: &str = "to the one before";

/// What came of rolling from one release to the other, beside what the load has seen.
#[derive(Debug, Clone, Serialize)]
pub struct Rolled {
    /// The release before.
    pub before: String,
    /// Migrations that it does not know.
    pub migrations: u64,
    /// Indexes that were built.
    pub builds: u64,
    /// Indexes that have to be built: one where the releases have different formats, none where they have one.
    pub needed: u64,
}

impl Rolled {
    /// What is not as it has to be.
    #[must_use]
    pub fn violation(&self) -> Option<String> {
        let Self { builds, needed, .. } = self;
        (builds != needed).then(|| format!("{builds} indexes were built, {needed} had to be"))
    }
}

impl fmt::Display for Rolled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before, migrations, builds, needed } = self;
        write!(f, "from {before} and back: {migrations} new migrations, {builds} index builds of {needed} needed")
    }
}

/// A fleet between two releases.
#[derive(Debug)]
pub struct Rolling {
    before: Release,
    own: PathBuf,
    shelf: Shelf,
    /// Rolls that were made.
    rolls: u32,
    /// At the beginning.
    migrations: u64,
    generations: u64,
    needed: u64,
}

impl Rolling {
    /// Fills the shop of a fleet that is of the release before.
    ///
    /// # Errors
    /// If write-api refuses, or a database can't be read.
    pub async fn begin(fleet: &Fleet, load: &Load, before: &Release, own: &Path) -> Result<Self, BenchError> {
        let mut read = PgConnection::connect(&fleet.stack.settings.read_url()).await?;
        let manifest: Value = sqlx::query_scalar("SELECT manifest FROM index_generations WHERE state = 'active'")
            .fetch_one(&mut read)
            .await?;
        Ok(Self {
            before: before.clone(),
            own: own.to_owned(),
            shelf: Shelf::fill(load.office()).await?,
            rolls: 0,
            migrations: migrations(fleet).await?,
            generations: generations(fleet).await?,
            needed: u64::from(Format::of(&manifest) < Some(Format::current())),
        })
    }

    /// Rolls to this release the first time, and then back and to it again.
    ///
    /// # Errors
    /// If a process does not become ready, or a product is not shown as it was last written.
    pub async fn round(&mut self, fleet: &mut Fleet, load: &mut Load) -> Result<Vec<Outcome>, BenchError> {
        let mut outcomes = Vec::new();
        if self.rolls == 0 {
            outcomes.extend(self.forth(fleet, load).await?);
        }
        outcomes.extend(self.back(fleet, load).await?);
        outcomes.extend(self.forth(fleet, load).await?);
        Ok(outcomes)
    }

    /// Readers of events go before who writes them: a new event, or a new value in one, is nothing that an older projector
    /// can read. The index writer of a node goes together with the query-api that reads what it writes.
    async fn forth(&mut self, fleet: &mut Fleet, load: &mut Load) -> Result<Vec<Outcome>, BenchError> {
        let began = Instant::now();
        fleet.migrate(&self.own).await?;
        let mut outcomes = vec![told(outcome("migrations", "PostgreSQL".to_owned(), began))];
        let (programs, order) = (self.own.clone(), nodes().chain([Member::WriteApi]));
        outcomes.extend(self.replace(fleet, load, FORTH, &programs, order).await?);
        for node in 0..NODES {
            self.shelf.shown_at(load, node).await?;
        }
        Ok(outcomes)
    }

    /// The other way around: nobody writes what the older ones can't read once they read. The schema stays.
    async fn back(&mut self, fleet: &mut Fleet, load: &mut Load) -> Result<Vec<Outcome>, BenchError> {
        if self.needed > 0 {
            let args = rollback::Args { reason: "the release is taken back".to_owned(), wait: FOLLOWED_WITHIN };
            rollback::run(&operator(fleet)?, &args).await?;
        }
        let (programs, order) = (self.before.programs.clone(), [Member::WriteApi].into_iter().chain(nodes()));
        self.replace(fleet, load, BACK, &programs, order).await
    }

    async fn replace(
        &mut self,
        fleet: &mut Fleet,
        load: &mut Load,
        what: &str,
        programs: &Path,
        order: impl Iterator<Item = Member>,
    ) -> Result<Vec<Outcome>, BenchError> {
        let mut outcomes = Vec::new();
        for member in order {
            self.shelf.rename(load.office()).await?;
            let began = Instant::now();
            fleet.replace(member, programs)?;
            if self.is_come_again() && member == Member::QueryApi(0) && what == FORTH {
                // Its node has the index of this release, which an operator went back from.
                self.promote(fleet).await?;
            }
            fleet.until_ready(member).await?;
            outcomes.push(told(outcome(what, member.name(), began)));
            load.until_acknowledged(WRITTEN).await?;
        }
        self.rolls += 1;
        let all: Vec<usize> = (0..NODES).collect();
        load.fresh_at(&all).await?;
        Ok(outcomes)
    }

    /// Whether an index of this release's format is there from an earlier roll.
    const fn is_come_again(&self) -> bool {
        self.needed > 0 && self.rolls > 0
    }

    async fn promote(&self, fleet: &Fleet) -> Result<(), BenchError> {
        let mut read = PgConnection::connect(&fleet.stack.settings.read_url()).await?;
        let left: String = sqlx::query_scalar(
            "SELECT previous FROM index_switches WHERE kind = 'rollback' ORDER BY epoch DESC LIMIT 1",
        )
        .fetch_one(&mut read)
        .await?;
        let (keep, wait) = (1, FOLLOWED_WITHIN);
        let args = promote::Args { generation: left, canary: None, watch: None, limits: Limits::default(), keep, wait };
        promote::run(&operator(fleet)?, &args).await?;
        Ok(())
    }

    /// What came of it.
    ///
    /// # Errors
    /// If a database can't be read.
    pub async fn end(self, fleet: &Fleet) -> Result<Rolled, BenchError> {
        Ok(Rolled {
            before: self.before.name,
            migrations: migrations(fleet).await?.saturating_sub(self.migrations),
            builds: generations(fleet).await?.saturating_sub(self.generations),
            needed: self.needed,
        })
    }
}

/// Whoever types `reindex` on the first node.
fn operator(fleet: &Fleet) -> Result<CommandContext, BenchError> {
    Ok(CommandContext::at(&fleet.stack.settings.read_url(), &fleet.index_dir(0), "chaos")?)
}

/// The processes of the nodes, node by node.
fn nodes() -> impl Iterator<Item = Member> {
    (0..NODES).flat_map(|node| [Member::Projector(node), Member::QueryApi(node)])
}

fn outcome(what: &str, whom: String, began: Instant) -> Outcome {
    Outcome { fault: what.to_owned(), whom, taken_over: None, recovered: began.elapsed() }
}

/// How many migrations both databases have.
async fn migrations(fleet: &Fleet) -> Result<u64, BenchError> {
    let settings = &fleet.stack.settings;
    let mut sum = 0;
    for url in [settings.write_url(), settings.read_url()] {
        sum += count(&url, "SELECT count(*) FROM _sqlx_migrations").await?;
    }
    Ok(sum)
}

/// How many index generations there have been.
async fn generations(fleet: &Fleet) -> Result<u64, BenchError> {
    count(&fleet.stack.settings.read_url(), "SELECT count(*) FROM index_generations").await
}

async fn count(url: &str, sql: &'static str) -> Result<u64, BenchError> {
    let mut connection = PgConnection::connect(url).await?;
    let count: i64 = sqlx::query_scalar(sql).fetch_one(&mut connection).await?;
    Ok(u64::try_from(count).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_index_is_built_where_the_format_differs_and_none_where_it_does_not() {
        let rolled =
            |builds, needed| Rolled { before: "the one before".to_owned(), migrations: 2, builds, needed }.violation();
        assert_eq!((rolled(0, 0), rolled(1, 1)), (None, None));
        assert_eq!(rolled(2, 1).as_deref(), Some("2 indexes were built, 1 had to be"));
        assert!(rolled(1, 0).is_some() && rolled(0, 1).is_some());
    }
}
