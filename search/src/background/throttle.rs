//! Work that gives way not only in priority but in time: while shoppers search on the same machine it rests between
//! small pieces, as Lucene's merges do (`RateLimitedIndexOutput`). A low priority alone leaves them with cold caches
//! and half of a core's speed, for as long as the work lasts.

use crate::nodes;
use rustix::time::{ClockId, clock_gettime};
use std::{
    cell::Cell,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Percent of its time in which a thread works while shoppers search.
const SHARE: u32 = 12;
/// The least work between two rests: shorter than a search takes.
const PIECE: Duration = Duration::from_millis(2);
/// Most work that is made up for by one rest; what was done before anybody searched is not.
const LONGEST: Duration = Duration::from_millis(20);
/// Between two looks at who searches.
const LOOK: Duration = Duration::from_secs(1);
/// How old a report may be.
const FRESH: i64 = 5;
/// Searches in the ten seconds of a report from which on shoppers are there: a probe alone isn't one.
const LEAST: u64 = 20;

thread_local! {
    /// The processor time of this thread when it rested last.
    static RESTED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    /// Whether this thread keeps to half of the processors; none before it has rested once.
    static KEPT: Cell<Option<bool>> = const { Cell::new(None) };
}

/// Throttles one piece of work, on all of its threads. Cheap to share; the default never rests.
#[derive(Debug, Clone, Default)]
pub struct Throttle(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    index_dir: PathBuf,
    looked: Mutex<Option<Instant>>,
    /// Percent of its time in which a thread works.
    share: AtomicU32,
    in_a_hurry: AtomicBool,
    ended: AtomicBool,
}

impl Throttle {
    /// Gives way to those who search in a folder of generations, as the query-api processes beside it report.
    #[must_use]
    pub fn beside(index_dir: &Path) -> Self {
        Self(Some(Arc::new(Shared {
            index_dir: index_dir.to_owned(),
            looked: Mutex::new(None),
            share: AtomicU32::new(100),
            in_a_hurry: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        })))
    }

    /// Whether it ever rests.
    #[must_use]
    pub fn may_rest(&self) -> bool {
        self.0.is_some()
    }

    /// Whether it must not rest, whoever searches.
    pub fn hurry(&self, hurry: bool) {
        if let Some(shared) = &self.0 {
            shared.in_a_hurry.store(hurry, Ordering::Relaxed);
        }
    }

    /// Nobody wants the work any more: every later [`Self::rest`] fails.
    pub fn end(&self) {
        if let Some(shared) = &self.0 {
            shared.ended.store(true, Ordering::Relaxed);
        }
    }

    /// Called between pieces of work: rests as long as this thread's work since the last rest asks for. While there is
    /// nobody to give way to, it has all processors.
    ///
    /// # Errors
    /// Once the work has been [ended](Self::end).
    pub fn rest(&self) -> io::Result<()> {
        let Some(shared) = &self.0 else { return Ok(()) };
        if shared.ended.load(Ordering::Relaxed) {
            return Err(io::Error::other("the work is no longer wanted"));
        }
        shared.look();
        let share = shared.share.load(Ordering::Relaxed);
        let gives_way = share < 100 && !shared.in_a_hurry.load(Ordering::Relaxed);
        if KEPT.replace(Some(gives_way)) != Some(gives_way) {
            super::keep_to_half(gives_way);
        }
        if gives_way {
            thread::sleep(due(share));
        }
        Ok(())
    }
}

impl Shared {
    /// Looks who searches, if nobody has of late.
    fn look(&self) {
        let Ok(mut looked) = self.looked.try_lock() else { return };
        if looked.is_some_and(|at| at.elapsed() < LOOK) {
            return;
        }
        *looked = Some(Instant::now());
        let share = if searches(&self.index_dir) >= LEAST { SHARE } else { 100 };
        if self.share.swap(share, Ordering::Relaxed) != share {
            tracing::info!(percent = share, "work in the background keeps to another share of its time");
        }
    }
}

/// Searches that the processes beside a folder answered in ten seconds, by their newest reports.
fn searches(index_dir: &Path) -> u64 {
    // Nobody has reported yet.
    let Ok(reports) = nodes::reports(index_dir) else { return 0 };
    let newest = reports.into_iter().filter(|(_, report)| (schemas::Utc::now() - report.at).num_seconds() < FRESH);
    newest.flat_map(|(_, report)| report.figures.into_values()).map(|figures| figures.searches).sum()
}

/// Processor time of this thread.
fn used() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or_default())
}

/// How long this thread has to rest now; nothing before it has worked for a while.
fn due(share: u32) -> Duration {
    let now = used();
    let worked = now.saturating_sub(RESTED.get());
    if worked < PIECE {
        return Duration::ZERO;
    }
    RESTED.set(now);
    worked.min(LONGEST) * (100 - share) / share
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::{Figures, ReaderReport};
    use std::collections::BTreeMap;

    fn shoppers(index_dir: &Path, searches: u64) {
        let report = ReaderReport {
            reader: "reader".to_owned(),
            figures: BTreeMap::from([("g1".to_owned(), Figures { searches, ..Figures::default() })]),
            at: schemas::Utc::now(),
            ..ReaderReport::default()
        };
        nodes::report(index_dir, &report).expect("a report");
    }

    fn share(throttle: &Throttle) -> Option<u32> {
        throttle.rest().expect("it is wanted");
        throttle.0.as_ref().map(|shared| shared.share.load(Ordering::Relaxed))
    }

    #[test]
    fn it_rests_while_shoppers_search() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!((share(&Throttle::default()), share(&Throttle::beside(folder.path()))), (None, Some(100)));
        shoppers(folder.path(), LEAST - 1);
        assert_eq!(share(&Throttle::beside(folder.path())), Some(100));
        shoppers(folder.path(), LEAST);
        assert_eq!(share(&Throttle::beside(folder.path())), Some(SHARE));
    }

    #[test]
    fn it_rests_as_its_work_asks_for_and_not_for_a_moment_of_it() {
        let used = |since: Duration| used().saturating_sub(since);
        // A thread of its own has the processor time of nobody else's work.
        let rests = thread::spawn(move || {
            let (before, since) = (due(SHARE), super::used());
            while used(since) < PIECE {}
            let after = due(SHARE);
            (before, after, due(SHARE))
        });
        let (before, after, again) = rests.join().expect("it ends");
        assert_eq!((before, again), (Duration::ZERO, Duration::ZERO));
        let rest = |work: Duration| work * (100 - SHARE) / SHARE;
        assert!((rest(PIECE)..=rest(LONGEST)).contains(&after), "{after:?}");
    }

    #[test]
    fn work_that_has_ended_fails() {
        let throttle = Throttle::beside(Path::new("nowhere"));
        let of_another_thread = throttle.clone();
        assert!(of_another_thread.rest().is_ok());
        throttle.end();
        assert!(of_another_thread.rest().is_err());
    }
}
