//! How the searches of each generation went over the last seconds: what a switch is judged by.

use search::nodes::Figures;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long a search counts.
const WINDOW: Duration = Duration::from_secs(10);
/// Searches that are kept for one generation; beyond, the oldest are forgotten.
const KEPT: usize = 20_000;

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    took: Duration,
    failed: bool,
    empty: bool,
}

/// Keeps how searches went. Cheap to share.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<BTreeMap<String, VecDeque<Sample>>>>);

impl Recorder {
    /// Counts a search: how long it took, whether it failed by our fault, whether it found nothing.
    pub fn count(&self, generation: &str, took: Duration, failed: bool, empty: bool) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(generation) {
            all.insert(generation.to_owned(), VecDeque::new());
        }
        let Some(samples) = all.get_mut(generation) else { return };
        if samples.len() >= KEPT {
            samples.pop_front();
        }
        samples.push_back(Sample { at: Instant::now(), took, failed, empty });
    }

    /// The figures of the last ten seconds, by generation.
    #[must_use]
    pub fn figures(&self) -> BTreeMap<String, Figures> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for samples in all.values_mut() {
            while samples.front().is_some_and(|oldest| oldest.at.elapsed() > WINDOW) {
                samples.pop_front();
            }
        }
        all.retain(|_, samples| !samples.is_empty());
        all.iter().map(|(generation, samples)| (generation.clone(), figures(samples))).collect()
    }
}

fn figures(samples: &VecDeque<Sample>) -> Figures {
    let mut took: Vec<Duration> = samples.iter().map(|sample| sample.took).collect();
    took.sort_unstable();
    let quantile = |share: usize| took.get((took.len() * share / 100).min(took.len().saturating_sub(1)));
    let ms = |took: Option<&Duration>| took.map_or(0.0, |took| took.as_secs_f64() * 1e3);
    Figures {
        searches: samples.len() as u64,
        failed: samples.iter().filter(|sample| sample.failed).count() as u64,
        empty: samples.iter().filter(|sample| sample.empty).count() as u64,
        p50_ms: ms(quantile(50)),
        p99_ms: ms(quantile(99)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_are_counted_by_generation() {
        let recorder = Recorder::default();
        for ms in 1..=100 {
            recorder.count("g2", Duration::from_millis(ms), ms == 7, ms > 90);
        }
        recorder.count("g1", Duration::from_millis(5), false, false);
        let figures = recorder.figures();
        let found = figures["g2"];
        assert_eq!((found.searches, found.failed, found.empty), (100, 1, 10));
        assert!((found.p50_ms - 51.0).abs() < 0.01 && (found.p99_ms - 100.0).abs() < 0.01, "{found:?}");
        assert_eq!(figures["g1"].searches, 1);
    }
}
