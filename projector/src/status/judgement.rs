//! Whether a lag is a trouble: Burrow's rules over a sliding window.
//!
//! Burrow, LinkedIn's lag checker, judges a partition by the offsets a consumer has committed and the lag at each of
//! them, never by a threshold: see "Consumer Lag Evaluation Rules" in its documentation
//! (<https://github.com/linkedin/Burrow/wiki/Consumer-Lag-Evaluation-Rules>) and
//! `calculatePartitionStatus` in `core/internal/evaluator/caching.go`. Its rules, in the order they are asked:
//!
//! 1. Nothing waits now: fine, however long nothing was committed.
//! 2. Nothing was committed for longer than the window spans, and something waits: stopped.
//! 3. The lag was gone at any moment of the window: fine.
//! 4. The consumer commits, but its offset has not moved in the whole window: stalled.
//! 5. The offset moves, but the lag has never become less from one sample to the next: a warning.
//!
//! Two things differ. A window here holds a sample a second with a mark for those in which the consumer
//! committed, as ours commit when they have applied something and not by a clock; so in rule 2 the samples
//! since something began to wait count as silence, and a topic that was idle for an hour is not stopped by its first
//! event. A window is of all partitions that one process applies, since one loop applies them in turn. And the state of a consumer that no longer reports at all is judged by its readers, from its heartbeat.

use std::collections::VecDeque;

/// Seconds of history that a state is judged by.
pub const WINDOW: usize = 30;
/// Seconds of it that trend and drain rate are taken from.
pub const RECENT: usize = 10;

/// A moment of a partition, or of several together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sample {
    /// The next offset the projection will read.
    pub next_offset: i64,
    /// Events that wait.
    pub lag: i64,
    /// Whether the projection has reported a position since the sample before.
    pub committed: bool,
}

impl Sample {
    /// Takes another partition of the same moment in.
    pub fn add(&mut self, other: Self) {
        self.next_offset += other.next_offset;
        self.lag += other.lag;
        self.committed |= other.committed;
    }
}

/// What a lag means, with where it goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// What it means.
    pub state: State,
    /// Where it goes: see [`trend`].
    pub trend: &'static str,
    /// Until it is gone: see [`catch_up_seconds`].
    pub catch_up_seconds: Option<f64>,
}

impl Default for Verdict {
    /// Of nothing that waits.
    fn default() -> Self {
        Self { state: State::Ok, trend: "idle", catch_up_seconds: Some(0.0) }
    }
}

/// What a lag means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nothing waits, or what waits is being worked off.
    #[default]
    Ok,
    /// It works, but falls behind.
    Warning,
    /// It reports, but does not get on: it starts again and again, or meets the same failure each time.
    Stall,
    /// It does not report any more, though something waits.
    Stop,
}

impl State {
    /// As in the database and the metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Stall => "stall",
            Self::Stop => "stop",
        }
    }

    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Warning, Self::Stall, Self::Stop];
}

/// The samples of a consumer, a second apart, the oldest first.
#[derive(Debug, Clone, Default)]
pub struct Window(VecDeque<Sample>);

impl Window {
    /// Takes the newest sample in.
    pub fn push(&mut self, sample: Sample) {
        self.0.push_back(sample);
        if self.0.len() > WINDOW {
            self.0.pop_front();
        }
    }

    /// The lags of the last seconds, the oldest first.
    #[must_use]
    pub fn recent_lags(&self) -> Vec<i64> {
        self.0.iter().skip(self.0.len().saturating_sub(RECENT)).map(|sample| sample.lag).collect()
    }

    /// What the lag means, by the rules above. A window that is not full yet never says more than a warning.
    #[must_use]
    pub fn state(&self) -> State {
        let (Some(first), Some(last)) = (self.0.front(), self.0.back()) else { return State::Ok };
        if last.lag == 0 || self.0.iter().any(|sample| sample.lag == 0) || self.0.len() < RECENT {
            return State::Ok;
        }
        let full = self.0.len() == WINDOW;
        let commits = self.0.iter().filter(|sample| sample.committed).count();
        let grows = self.0.iter().zip(self.0.iter().skip(1)).all(|(before, after)| after.lag >= before.lag);
        match (commits, first.next_offset == last.next_offset) {
            (0, _) if full => State::Stop,
            (1.., true) if full => State::Stall,
            _ if grows => State::Warning,
            _ => State::Ok,
        }
    }

    /// What the lag means and where it goes.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let whole: Vec<i64> = self.0.iter().map(|sample| sample.lag).collect();
        let recent = self.recent_lags();
        // What comes between two batches of a slow consumer is no growth if less waits than half a minute ago.
        let trend = match trend(&recent) {
            "growing" => trend(&whole),
            other => other,
        };
        let catch_up_seconds = catch_up_seconds(&recent).or_else(|| catch_up_seconds(&whole));
        Verdict { state: self.state(), trend, catch_up_seconds }
    }
}

/// The trend of a lag, given the oldest first.
#[must_use]
pub fn trend(history: &[i64]) -> &'static str {
    let (Some(first), Some(last)) = (history.first(), history.last()) else { return "idle" };
    // A lag that was gone at any moment of the window is the ordinary breathing of a live consumer.
    match (last, first) {
        (0, _) => "idle",
        _ if history.contains(&0) => "steady",
        (last, first) if last > first => "growing",
        (last, first) if last < first => "draining",
        _ => "steady",
    }
}

/// Seconds until a lag is gone at the rate it shrank over the last seconds (lags a second apart, the oldest
/// first): 0 where there is none, nothing while it does not shrink.
#[must_use]
pub fn catch_up_seconds(history: &[i64]) -> Option<f64> {
    let (first, last) = (*history.first()?, *history.last()?);
    let seconds = history.len() - 1;
    if last == 0 {
        return Some(0.0);
    }
    #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
    let drained_per_second = (first - last) as f64 / seconds.max(1) as f64;
    #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
    (drained_per_second > 0.0).then(|| last as f64 / drained_per_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(samples: impl IntoIterator<Item = (i64, i64, bool)>) -> Window {
        let mut window = Window::default();
        for (next_offset, lag, committed) in samples {
            window.push(Sample { next_offset, lag, committed });
        }
        window
    }

    #[test]
    fn an_idle_topic_is_not_late_and_its_first_event_stops_nobody() {
        assert_eq!(Window::default().state(), State::Ok);
        assert_eq!(window((0..30).map(|_| (7, 0, false))).state(), State::Ok);
        let waits = (0..29).map(|_| (7, 0, false)).chain([(7, 1, false)]);
        assert_eq!(window(waits).state(), State::Ok);
    }

    #[test]
    fn a_consumer_that_works_off_what_waits_is_fine() {
        assert_eq!(window((0..30).map(|n| (n * 10, 1_000 - n * 5, true))).state(), State::Ok);
        // It grows at times, but it was gone once.
        assert_eq!(window((0..30).map(|n| (n, if n == 4 { 0 } else { n }, true))).state(), State::Ok);
    }

    #[test]
    fn a_lag_that_never_shrinks_while_the_offset_moves_is_a_warning() {
        assert_eq!(window((0..30).map(|n| (n, 100 + n, true))).state(), State::Warning);
        assert_eq!(window((0..30).map(|n| (n, 100, true))).state(), State::Warning);
        let once_less = (0..30).map(|n| (n, if n == 20 { 50 } else { 100 + n }, true));
        assert_eq!(window(once_less).state(), State::Ok);
    }

    #[test]
    fn commits_that_do_not_move_are_a_stall_and_no_commits_a_stop() {
        assert_eq!(window((0..30).map(|n| (7, 100 + n, n % 5 == 0))).state(), State::Stall);
        assert_eq!(window((0..30).map(|n| (7, 100 + n, false))).state(), State::Stop);
        assert_eq!(window((0..29).map(|n| (7, 100 + n, false))).state(), State::Warning, "not long enough to be sure");
        assert_eq!(window((0..5).map(|n| (7, 100 + n, false))).state(), State::Ok);
    }

    #[test]
    fn what_comes_between_two_slow_batches_is_no_growth() {
        // 100 every 12 seconds, and one a second comes.
        let slow = window((0..30).map(|n| (n / 12 * 100, 5_000 + n - n / 12 * 100, n % 12 == 0)));
        assert_eq!(trend(&slow.recent_lags()), "draining");
        let between = window((0..23).map(|n| (n / 12 * 100, 5_000 + n - n / 12 * 100, n % 12 == 0)));
        assert_eq!((trend(&between.recent_lags()), between.verdict().trend), ("growing", "draining"));
        assert!(between.verdict().catch_up_seconds.is_some());
        let grows = window((0..30).map(|n| (n, 100 + n * 5, true)));
        assert_eq!(grows.verdict().trend, "growing");
    }

    #[test]
    fn a_window_slides() {
        let recovered = (0..30).map(|n| (7, 100 + n, false)).chain((0..30).map(|n| (7 + n * 9, 120 - n, true)));
        assert_eq!(window(recovered).state(), State::Ok);
    }

    #[test]
    fn a_trend_is_judged_by_the_window() {
        assert_eq!(trend(&[]), "idle");
        assert_eq!(trend(&[5, 3, 0]), "idle");
        assert_eq!(trend(&[1, 2, 3]), "growing");
        assert_eq!(trend(&[3, 2, 1]), "draining");
        assert_eq!(trend(&[2, 2, 2]), "steady");
        assert_eq!(trend(&[0, 4, 9]), "steady");
    }

    #[test]
    fn catching_up_takes_the_lag_by_the_net_rate() {
        assert_eq!(catch_up_seconds(&[0, 0]), Some(0.0));
        assert_eq!(catch_up_seconds(&[400, 300, 200]), Some(2.0));
        assert_eq!(catch_up_seconds(&[200, 300]), None);
        assert_eq!(catch_up_seconds(&[200, 200]), None);
        assert_eq!(catch_up_seconds(&[200]), None);
        assert_eq!(catch_up_seconds(&[]), None);
    }
}
