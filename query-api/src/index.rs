//! The index generations that are open here, and which of them answers: the one the read database names, with a
//! share of the searches for one that is tried.
//!
//! A switch loses nothing and shows nothing older: the generation in use stands still while the next one reads up
//! to where it stands, and only then is replaced. Who follows a switch says so in the folder that is shared with the
//! index writer, see [`search::nodes`].

use crate::vectors::QueryVectors;
use schemas::Uuid;
use search::{
    IndexError,
    bundle::Model,
    generation,
    nodes::{self, ReaderReport},
    offsets::covers_again,
    reader::IndexHandle,
};
use service::Supervisor;
use sqlx::{PgPool, Row};
use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};
use tokio::sync::watch;

mod figures;
mod node;
#[cfg(test)]
mod scratch;
mod standstill;
mod warming;

pub use figures::Recorder;
pub use node::check;
use standstill::Standstill;
use warming::Warming;

/// How often the read database is asked which generation is active.
const POLL: Duration = Duration::from_millis(100);
/// How often this process reports when nothing changes.
const REPORT: Duration = Duration::from_secs(1);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What is open.
#[derive(Debug, Clone, Default)]
struct Open {
    /// The generation that answers.
    active: Option<IndexHandle>,
    /// The switch that made it so.
    epoch: i64,
    /// All of them by name, the active one as well.
    all: BTreeMap<String, IndexHandle>,
    /// Another one that answers a share of the searches, in percent.
    canary: Option<(String, u8)>,
}

/// The generations of this process. Cheap to share.
#[derive(Debug, Clone)]
pub struct ActiveIndex {
    open: watch::Receiver<Open>,
    /// How the searches of each generation went.
    pub recorder: Recorder,
}

/// A generation as the read database has it.
struct Desired {
    name: String,
    is_active: bool,
    canary: u8,
}

struct Watcher {
    pool: PgPool,
    folder: PathBuf,
    address: SocketAddr,
    reader: String,
    sender: watch::Sender<Open>,
    recorder: Recorder,
    /// The folders behind the open ones: one that was put aside and built anew under its name is another.
    inodes: BTreeMap<String, u64>,
    /// Those that are not open yet.
    warming: BTreeMap<String, Warming>,
    waiting: String,
    vectors: QueryVectors,
    standstill: Standstill,
}

impl ActiveIndex {
    /// Starts watching, for ever.
    #[must_use]
    pub fn watch(
        pool: PgPool,
        folder: PathBuf,
        address: SocketAddr,
        vectors: QueryVectors,
        supervisor: &Supervisor,
    ) -> Self {
        let health = supervisor.health().clone();
        let (sender, open) = watch::channel(Open::default());
        let recorder = Recorder::default();
        let mut watcher = Watcher {
            pool,
            folder,
            address,
            reader: Uuid::now_v7().to_string(),
            sender,
            recorder: recorder.clone(),
            inodes: BTreeMap::new(),
            warming: BTreeMap::new(),
            waiting: String::new(),
            vectors,
            standstill: Standstill::default(),
        };
        supervisor.spawn("watch-index", async move {
            let mut ticks = tokio::time::interval(POLL);
            let mut reported: Option<Instant> = None;
            loop {
                ticks.tick().await;
                let before = watcher.followed();
                match watcher.look().await {
                    Ok(()) => health.set("index", true, ""),
                    // What is open stays in use: an old answer is better than none.
                    Err(error) if watcher.sender.borrow().active.is_some() => {
                        tracing::debug!(%error, "the active generation can't be followed right now");
                        watcher.waiting = error.to_string();
                    }
                    Err(error) => health.set("index", false, &error.to_string()),
                }
                if watcher.is_damaged() {
                    health.set("index", false, "the index of this node is damaged and being built anew");
                }
                if watcher.followed() != before || reported.is_none_or(|at| at.elapsed() >= REPORT) {
                    reported = Some(Instant::now());
                    // A disk that is busy must not hold up who is answered on this thread.
                    tokio::task::block_in_place(|| watcher.report());
                }
            }
        });
        Self { open, recorder }
    }

    /// The active generation; none before it is loaded.
    #[must_use]
    pub fn get(&self) -> Option<IndexHandle> {
        self.open.borrow().active.clone()
    }

    /// A generation by its name, if it is open here.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<IndexHandle> {
        self.open.borrow().all.get(name).cloned()
    }

    /// The handle by which a generation is open now: its folder may have been built anew since one was taken.
    #[must_use]
    pub fn newest(&self, handle: &IndexHandle) -> IndexHandle {
        self.named(&handle.manifest().generation).unwrap_or_else(|| handle.clone())
    }

    /// All generations that are open here, by name.
    #[must_use]
    pub fn open(&self) -> Vec<(String, IndexHandle)> {
        self.open.borrow().all.iter().map(|(name, handle)| (name.clone(), handle.clone())).collect()
    }

    /// The generation that answers somebody: the active one, or for a share of them the one that is tried. The
    /// same `who` always gets the same.
    #[must_use]
    pub fn choose(&self, who: &str) -> Option<IndexHandle> {
        let open = self.open.borrow();
        let tried = open.canary.as_ref().filter(|(name, share)| {
            let mut hasher = DefaultHasher::new();
            (name, who).hash(&mut hasher);
            hasher.finish() % 100 < u64::from(*share)
        });
        tried.and_then(|(name, _)| open.all.get(name).cloned()).or_else(|| open.active.clone())
    }
}

impl Watcher {
    /// What operators wait for: the switch that was followed, what is open, and what is in the way.
    fn followed(&self) -> (i64, Vec<String>, String) {
        let open = self.sender.borrow();
        (open.epoch, open.all.keys().cloned().collect(), self.waiting.clone())
    }

    async fn look(&mut self) -> Result<(), Failure> {
        let (epoch, wanted) = self.wanted().await?;
        let mut open = self.sender.borrow().clone();
        open.all.retain(|name, _| wanted.iter().any(|one| one.name == *name));
        self.warming.retain(|name, _| wanted.iter().any(|one| one.name == *name));
        let (mut failure, mut hindered) = (None, String::new());
        for one in &wanted {
            match self.open(one, &mut open) {
                Ok(()) => {}
                Err(error) if one.is_active => failure = Some(error),
                Err(error) => hindered = format!("{}: {error}", one.name),
            }
        }
        if hindered.is_empty() {
            let models: Vec<Model> = open.all.values().map(|handle| handle.manifest().bundle.model.clone()).collect();
            self.vectors.retain(&models);
        }
        open.canary = wanted
            .iter()
            .find(|one| one.canary > 0 && !one.is_active && open.all.contains_key(&one.name))
            .map(|one| (one.name.clone(), one.canary));
        let active = wanted.iter().find(|one| one.is_active).map(|one| one.name.clone());
        let active = active.ok_or_else(|| IndexError::Missing("(none is active yet)".to_owned()));
        let in_use = open.active.as_ref().map(|handle| handle.manifest().generation.clone());
        match active {
            Ok(name) if in_use.as_deref() == Some(name.as_str()) => {
                // It may have been opened anew.
                open.active = open.all.get(&name).cloned().or(open.active);
                open.epoch = epoch;
                self.waiting = hindered;
                self.sender.send_replace(open);
            }
            Ok(name) => {
                self.sender.send_replace(open.clone());
                let next = open.all.get(&name).cloned().ok_or_else(|| IndexError::Missing(name.clone()));
                if let (Err(_), Some(error)) = (&next, failure) {
                    return Err(error);
                }
                return self.switch(next?, epoch, open).await;
            }
            Err(error) => return Err(error.into()),
        }
        failure.map_or(Ok(()), Err)
    }

    /// Answers from another generation as soon as it has all that the one in use shows.
    async fn switch(&mut self, next: IndexHandle, epoch: i64, mut open: Open) -> Result<(), Failure> {
        let _hold = match &open.active {
            Some(current) => Some(self.standstill.until_covered(current, &next).await?),
            None => None,
        };
        let name = next.manifest().generation.clone();
        let previous = open.active.replace(next).map(|handle| handle.manifest().generation.clone());
        tracing::info!(index.generation = %name, index.previous = previous.unwrap_or_default(), index.epoch = epoch, "answering from another generation");
        open.epoch = epoch;
        self.waiting.clear();
        self.sender.send_replace(open);
        Ok(())
    }

    /// Opens a generation, unless it is. One that does not answer yet is open only when its queries can be embedded and
    /// it knows the shops.
    fn open(&mut self, one: &Desired, open: &mut Open) -> Result<(), Failure> {
        let name = one.name.as_str();
        let meta = std::fs::metadata(generation::folder(&self.folder, name))
            .map_err(|_| IndexError::Missing(name.to_owned()))?;
        let found = std::os::unix::fs::MetadataExt::ino(&meta);
        if let Some(handle) = open.all.get(name)
            && self.inodes.get(name) == Some(&found)
        {
            // A model that could not be loaded is tried again; words answer meanwhile.
            let _ = self.vectors.prepare(&handle.manifest().bundle.model);
            return Ok(());
        }
        if self.warming.get(name).is_none_or(|warming| warming.inode != found) {
            let handle = tokio::task::block_in_place(|| IndexHandle::open(&self.folder, name))?;
            let known = open.active.as_ref().map(|active| active.snapshot().statistics).unwrap_or_default();
            self.warming.insert(name.to_owned(), Warming::start(handle, found, &known)?);
        }
        let Some(warming) = self.warming.get(name) else { return Ok(()) };
        let ready = self.vectors.prepare(&warming.handle.manifest().bundle.model);
        if !one.is_active && !ready? {
            return Err("its embedding model is being loaded".into());
        }
        let is_prepared = match (one.is_active, &open.active) {
            (false, _) => warming.is_done(),
            (true, None) => warming.may_start(),
            // It was built anew, and somebody is answered from what was there before.
            (true, Some(_)) => true,
        };
        if !is_prepared {
            return Err("its catalog statistics are being collected".into());
        }
        let behind = |before: &IndexHandle| {
            !covers_again(&warming.handle.snapshot().next_offsets(), &before.snapshot().next_offsets())
        };
        if open.all.get(name).is_some_and(behind) {
            return Err("it was built anew, and has not read yet all that the one before shows".into());
        }
        tokio::spawn(warming::keep_prepared(warming.handle.subscribe()));
        tracing::info!(index.generation = %name, "generation opened");
        self.inodes.insert(name.to_owned(), found);
        open.all.insert(name.to_owned(), warming.handle.clone());
        self.warming.remove(name);
        Ok(())
    }

    /// The newest switch, and the generations that are followed.
    async fn wanted(&self) -> Result<(i64, Vec<Desired>), Failure> {
        let rows = sqlx::query(
            "SELECT generation, state, canary, (SELECT coalesce(max(epoch), 0) FROM index_switches) AS epoch FROM index_generations
             WHERE state IN ('catching_up', 'verifying', 'ready', 'active', 'retired', 'rolled_back')",
        )
        .fetch_all(&self.pool)
        .await?;
        let (mut epoch, mut wanted) = (0, Vec::new());
        for row in rows {
            epoch = row.try_get("epoch")?;
            let (state, canary): (String, i16) = (row.try_get("state")?, row.try_get("canary")?);
            let canary = if state == "ready" { u8::try_from(canary).unwrap_or_default() } else { 0 };
            wanted.push(Desired { name: row.try_get("generation")?, is_active: state == "active", canary });
        }
        Ok((epoch, wanted))
    }

    fn is_damaged(&self) -> bool {
        let active = self.sender.borrow().active.as_ref().map(|handle| handle.manifest().generation.clone());
        active.is_some_and(|name| generation::is_marked_damaged(&self.folder, &name))
    }

    fn report(&self) {
        let open = self.sender.borrow().clone();
        let report = ReaderReport {
            reader: self.reader.clone(),
            address: node::reachable(self.address),
            epoch: open.epoch,
            generation: open.active.map(|handle| handle.manifest().generation.clone()).unwrap_or_default(),
            opened: open.all.keys().cloned().collect(),
            figures: self.recorder.figures(),
            waiting: self.waiting.clone(),
            at: schemas::Utc::now(),
        };
        if let Err(error) = nodes::report(&self.folder, &report) {
            tracing::warn!(%error, "the index folder can't be written: operators don't see what is served here");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scratch::{Scratch, offset};

    fn watcher(folder: PathBuf) -> Watcher {
        Watcher {
            pool: PgPool::connect_lazy("postgres://nobody@127.0.0.1:1/nothing").expect("a pool"),
            folder,
            address: ([127, 0, 0, 1], 1).into(),
            reader: "one".to_owned(),
            sender: watch::channel(Open::default()).0,
            recorder: Recorder::default(),
            inodes: BTreeMap::new(),
            warming: BTreeMap::new(),
            waiting: String::new(),
            vectors: QueryVectors::new(None, Default::default()),
            standstill: Standstill::default(),
        }
    }

    /// Looks until the generation is open.
    async fn opened(watcher: &mut Watcher, open: &mut Open) {
        let one = Desired { name: "g1".to_owned(), is_active: true, canary: 0 };
        let began = Instant::now();
        let mut looks = tokio::time::interval(Duration::from_millis(10));
        while let Err(error) = watcher.open(&one, open) {
            assert!(began.elapsed() < Duration::from_secs(20), "{error}");
            looks.tick().await;
        }
        open.active = open.all.get("g1").cloned();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_healed_index_takes_over_only_once_it_shows_all_that_the_damaged_one_did() {
        let (scratch, mut open) = (Scratch::new(), Open::default());
        let damaged = scratch.index("g1", 10);
        let mut watcher = watcher(scratch.0.clone());
        opened(&mut watcher, &mut open).await;
        let before = open.active.clone().expect("it is open");
        drop(damaged);
        generation::quarantine(&scratch.0, "g1", schemas::Utc::now()).expect("put aside");
        // What was built anew stops short: the records since then come by the topic.
        let mut healed = scratch.index("g1", 4);
        let one = Desired { name: "g1".to_owned(), is_active: true, canary: 0 };
        let refused = watcher.open(&one, &mut open).expect_err("it stops short").to_string();
        assert!(refused.contains("has not read yet all that the one before shows"), "{refused}");
        // Longer than commits take to be noticed.
        let mut commits = before.subscribe();
        let shorter =
            tokio::time::timeout(Duration::from_millis(800), commits.wait_for(|s| s.next_offsets() != offset(10)));
        assert!(shorter.await.is_err(), "the handle that is in use does not become the shorter one either");
        healed.commit(offset(10)).expect("committed");
        opened(&mut watcher, &mut open).await;
        let after = open.active.clone().expect("it is open");
        assert_eq!(after.snapshot().next_offsets(), offset(10));
        healed.commit(offset(12)).expect("committed");
        let mut commits = after.subscribe();
        let newer = commits.wait_for(|snapshot| snapshot.next_offsets() == offset(12));
        tokio::time::timeout(Duration::from_secs(20), newer).await.expect("it follows the healed one").expect("open");
    }
}
