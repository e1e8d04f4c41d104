//! Whether the machine's host held a processor meanwhile: latencies on a rented machine say little without.
//!
//! On each processor a thread does the same small work a hundred times a second. How much of the processor's time that
//! took, as the system counts it, does not depend on who else runs there: others are not counted. If it took many
//! times as much as usual, the processor stood still under it. What the host admits to (`steal`) is counted apart: a host
//! that is itself a guest may not know.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::{
    collections::BTreeMap,
    fs,
    hint::black_box,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Between two pieces of work.
const PAUSE: Duration = Duration::from_millis(10);
/// The work, in rounds of a few operations: some ten microseconds.
const ROUNDS: u64 = 10_000;
/// A processor was held if the work took so many times as much as usual, and at least [`LEAST`].
const TIMES: u32 = 8;
/// The least of it: less is hidden in the latencies.
const LEAST: Duration = Duration::from_millis(1);

/// When a piece of work was begun, when the next one was, and what it took of the processor.
type Piece = (Instant, Instant, Duration);

/// Threads at work.
#[derive(Debug)]
pub struct Witness {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Vec<Piece>>>,
    stolen: Stolen,
}

/// The moments in which a processor was held.
#[derive(Debug, Default)]
pub struct Held {
    moments: Vec<(Instant, Instant)>,
    /// Percent of the processors' time that the host says it gave to others, by phase; nothing off Linux.
    pub stolen: BTreeMap<&'static str, f64>,
}

impl Witness {
    /// Starts a thread on each processor that may be used, in the phase `warming`.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start() -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let allowed = sched_getaffinity(None)?;
        let mut threads = Vec::new();
        for processor in (0..CpuSet::MAX_CPU).filter(|processor| allowed.is_set(*processor)) {
            let stopped = Arc::clone(&stop);
            threads.push(std::thread::Builder::new().name("witness".to_owned()).spawn(move || {
                let mut one = CpuSet::new();
                one.set(processor);
                // Where it may not be tied to its processor, it sees those that it runs on.
                let _ = sched_setaffinity(None, &one);
                work(&stopped)
            })?);
        }
        Ok(Self { stop, threads, stolen: Stolen::new() })
    }

    /// From now on stolen time counts for another phase.
    pub fn phase(&mut self, next: &'static str) {
        self.stolen.phase(next);
    }

    /// Ends the threads.
    pub fn end(self) -> Held {
        self.stop.store(true, Ordering::Relaxed);
        let mut moments = Vec::new();
        for thread in self.threads {
            // One that has panicked has seen nothing.
            moments.extend(held(&thread.join().unwrap_or_default()));
        }
        Held { moments, stolen: self.stolen.percent() }
    }
}

impl Held {
    /// Whether a processor was held at some time between the two.
    pub fn between(&self, from: Instant, to: Instant) -> bool {
        self.moments.iter().any(|(begun, ended)| *begun < to && from < *ended)
    }
}

fn held(pieces: &[Piece]) -> Vec<(Instant, Instant)> {
    let mut took: Vec<Duration> = pieces.iter().map(|piece| piece.2).collect();
    took.sort_unstable();
    let Some(usual) = took.get(took.len() / 2) else { return Vec::new() };
    let limit = (*usual * TIMES).max(LEAST);
    pieces.iter().filter(|piece| piece.2 > limit).map(|(begun, ended, _)| (*begun, *ended)).collect()
}

fn work(stop: &AtomicBool) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (mut begun, mut before) = (Instant::now(), used());
    while !stop.load(Ordering::Relaxed) {
        (0..ROUNDS).fold(0_u64, |sum, round| black_box(sum.rotate_left(5) ^ round));
        std::thread::sleep(PAUSE);
        // The system has counted everything when a thread has slept.
        let (now, total) = (Instant::now(), used());
        if let (Some(before), Some(total)) = (before, total) {
            pieces.push((begun, now, Duration::from_nanos(total.saturating_sub(before))));
        }
        (begun, before) = (now, total);
    }
    pieces
}

/// Nanoseconds for which this thread has run (`Documentation/scheduler/sched-stats.rst`); none off Linux.
fn used() -> Option<u64> {
    fs::read_to_string("/proc/thread-self/schedstat").ok()?.split_whitespace().next()?.parse().ok()
}

/// Ticks of all processors since the start of the machine: stolen, and all (`man 5 proc_stat`); none off Linux.
fn ticks() -> Option<(u64, u64)> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let all: Vec<u64> = text.lines().next()?.split_whitespace().skip(1).take(8).flat_map(str::parse).collect();
    Some((*all.get(7)?, all.iter().sum()))
}

/// Counts stolen time by phase.
#[derive(Debug)]
struct Stolen {
    phase: &'static str,
    since: Option<(u64, u64)>,
    counted: BTreeMap<&'static str, (u64, u64)>,
}

impl Stolen {
    fn new() -> Self {
        Self { phase: "warming", since: ticks(), counted: BTreeMap::new() }
    }

    fn phase(&mut self, next: &'static str) {
        let now = ticks();
        if let (Some(before), Some(now)) = (self.since, now) {
            let counted = self.counted.entry(self.phase).or_default();
            counted.0 += now.0.saturating_sub(before.0);
            counted.1 += now.1.saturating_sub(before.1);
        }
        (self.phase, self.since) = (next, now);
    }

    #[expect(clippy::cast_precision_loss, reason = "shown rounded")]
    fn percent(mut self) -> BTreeMap<&'static str, f64> {
        self.phase(self.phase);
        self.counted
            .iter()
            .map(|(phase, (stolen, all))| (*phase, 100.0 * *stolen as f64 / (*all).max(1) as f64))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_took_many_times_as_much_as_usual_was_held() {
        let begun = Instant::now();
        let at = |number: u32| begun + PAUSE * number;
        let piece = |number: u32, micros: u64| (at(number), at(number + 1), Duration::from_micros(micros));
        let pieces: Vec<Piece> = (0..100).map(|number| piece(number, if number == 40 { 5_000 } else { 60 })).collect();
        let held = Held { moments: held(&pieces), stolen: BTreeMap::new() };
        assert_eq!(held.moments, [(at(40), at(41))]);
        assert!(held.between(at(39), at(41)) && held.between(at(40) + PAUSE / 2, at(60)));
        assert!(!held.between(at(20), at(40)) && !held.between(at(41), at(60)));
        // A processor that is slow all the time is not held.
        assert!(super::held(&(0..100).map(|number| piece(number, 5_000)).collect::<Vec<_>>()).is_empty());
    }
}
