//! The catalog statistics that the generation in use has, and those of large catalogs, are collected in the background for
//! one that is about to answer, and while catalogs grow: otherwise the first search in such a shop would wait for them. And
//! it would open what every search needs: so a few searches are rehearsed.

use search::{
    background,
    reader::{IndexHandle, Snapshot},
    rehearsal::{self, Rehearsed},
    statistics::{self, StatisticsCache},
};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{oneshot, watch};

/// From one look at how catalogs have grown to the next, at least.
const LOOK: Duration = Duration::from_millis(250);
/// How long the generation in use may keep a node that starts waiting; from then on searches wait for themselves.
const STARTS_WITHIN: Duration = Duration::from_secs(10);

/// A generation that is being prepared.
pub struct Warming {
    /// It.
    pub handle: IndexHandle,
    /// Its folder.
    pub inode: u64,
    done: Arc<AtomicBool>,
    began: Instant,
}

impl Warming {
    /// Begins to collect the catalog statistics of the tenants that others have, and of large catalogs.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start(handle: IndexHandle, inode: u64, others: &Arc<StatisticsCache>) -> io::Result<Self> {
        let tenants = others.tenants();
        let done = Arc::new(AtomicBool::new(false));
        let (snapshot, others, told) = (handle.snapshot(), Arc::clone(others), Arc::clone(&done));
        background::spawn_beside("warming", move || {
            for tenant in tenants {
                if let Err(error) = snapshot.statistics.collect_like(&snapshot.segments, &others, tenant) {
                    tracing::warn!(%error, tenant.id = %tenant, "the statistics of a catalog can't be collected beforehand");
                }
            }
            prepare(&snapshot, false);
            rehearse(&snapshot);
            told.store(true, Ordering::Release);
        })?;
        Ok(Self { handle, inode, done, began: Instant::now() })
    }

    /// Whether all are collected.
    pub fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// Whether a node that starts answers from it, all collected or not.
    pub fn may_start(&self) -> bool {
        self.is_done() || self.began.elapsed() > STARTS_WITHIN
    }
}

/// Collects the statistics of large catalogs that are not known or have grown since.
fn prepare(snapshot: &Snapshot, grow: bool) {
    let prepared = snapshot
        .statistics
        .due(&snapshot.segments, grow)
        .and_then(|due| due.into_iter().try_for_each(|tenant| snapshot.statistics.prepare(&snapshot.segments, tenant)));
    if let Err(error) = prepared {
        tracing::warn!(%error, "the statistics of catalogs can't be collected beforehand");
    }
}

/// Rehearses searches in large catalogs.
fn rehearse(snapshot: &Snapshot) {
    let rehearsed = statistics::large(&snapshot.segments)
        .and_then(|large| large.into_iter().try_for_each(|(_, tenant)| rehearsal::rehearse(snapshot, tenant)));
    if let Err(error) = rehearsed {
        tracing::warn!(%error, "searches can't be rehearsed");
    }
}

/// Prepares the statistics of catalogs that grow, commit by commit, and once more when the commits rest, for as long as
/// the generation is open; what receives its commits does not keep it open.
pub async fn keep_prepared(mut commits: watch::Receiver<Snapshot>) {
    let mut rehearsed = Rehearsed::default();
    rehearsed.is_outgrown(&commits.borrow());
    while commits.changed().await.is_ok() {
        let mut grow = true;
        while grow {
            grow = match tokio::time::timeout(LOOK, commits.changed()).await {
                Ok(Ok(())) => {
                    // Commits may come without a pause.
                    tokio::time::sleep(LOOK).await;
                    true
                }
                Ok(Err(_)) => return,
                Err(_) => false,
            };
            let snapshot = commits.borrow_and_update().clone();
            let rehearses = rehearsed.is_outgrown(&snapshot);
            prepare_beside(snapshot, grow, rehearses).await;
        }
    }
}

/// Prepares on a thread that gives way to searches, if there is anything to prepare.
async fn prepare_beside(snapshot: Snapshot, grow: bool, rehearses: bool) {
    if !rehearses && !snapshot.statistics.due(&snapshot.segments, grow).is_ok_and(|due| !due.is_empty()) {
        return;
    }
    let (told, done) = oneshot::channel();
    let started = background::spawn_beside("statistics", move || {
        prepare(&snapshot, grow);
        if rehearses {
            rehearse(&snapshot);
        }
        // Who waits for it is gone only when the process ends.
        let _ = told.send(());
    });
    match started {
        Ok(_) => drop(done.await),
        Err(error) => tracing::warn!(%error, "no thread to collect the statistics of catalogs on"),
    }
}
