//! Progress on standard error: a bar on a terminal, a line every few seconds elsewhere.

use super::report::{duration, grouped};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    collections::VecDeque,
    io::IsTerminal,
    time::{Duration, Instant},
};

/// What came before says nothing of the speed now.
const RECENT: Duration = Duration::from_secs(10);
/// An estimate from less would be a guess.
const ESTIMATED_FROM: Duration = Duration::from_secs(2);

/// How often a line is written where there is no terminal: at first often, later seldom.
fn line_interval(elapsed: Duration) -> Duration {
    (elapsed / 5).clamp(Duration::from_secs(2), Duration::from_secs(15))
}

/// How far something is that takes more than a second.
pub struct Progress {
    what: &'static str,
    bar: Option<ProgressBar>,
    began: Instant,
    last_line: Instant,
    recent: Recent,
}

/// What was done of late, the oldest first.
#[derive(Debug, Default)]
struct Recent(VecDeque<(Instant, u64)>);

impl Recent {
    /// Takes in that `done` of `total` are done at a moment; gives how long the rest takes at the speed of late, if that can
    /// be told.
    fn left(&mut self, now: Instant, done: u64, total: u64) -> Option<Duration> {
        self.0.push_back((now, done));
        // One from before the span stays, so that the span is covered.
        while self.0.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= RECENT) {
            self.0.pop_front();
        }
        let (at, before) = *self.0.front()?;
        let (span, gained) = (now.duration_since(at), done.saturating_sub(before));
        if span < ESTIMATED_FROM || gained == 0 {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
        let share = total.saturating_sub(done) as f64 / gained as f64;
        Some(span.mul_f64(share))
    }
}

impl Progress {
    /// Begins; `what` is a verb in its ing form and `total` counts in units of the caller.
    #[must_use]
    pub fn begin(what: &'static str, total: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
            if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:32}] {percent:>3} % {msg}") {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_prefix(what);
            bar
        });
        let now = Instant::now();
        Self { what, bar, began: now, last_line: now, recent: Recent(VecDeque::from([(now, 0)])) }
    }

    /// Says that `done` of `total` units are done, which are `items` of what is counted.
    pub fn at(&mut self, done: u64, total: u64, items: u64, unit: &str) {
        let now = Instant::now();
        let seconds = now.duration_since(self.began).as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, reason = "shown rounded")]
        let (share, rate) = ((done as f64 / total.max(1) as f64).min(1.0), items as f64 / seconds);
        let left = self.recent.left(now, done, total).map(|left| format!(", {} left", duration(left)));
        let message = format!("{} {unit}, {rate:.0}/s{}", grouped(items), left.unwrap_or_default());
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
            bar.set_message(message);
        } else if now.duration_since(self.last_line) >= line_interval(now.duration_since(self.began)) {
            self.last_line = now;
            eprintln!("{}: {:.0} %, {message}", self.what, share * 100.0);
        }
    }

    /// A remark beside the bar.
    pub fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    /// Takes the bar away.
    pub fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the estimates are at seconds on which so much of 1,000 is done.
    fn estimates(steps: &[(u64, u64)]) -> Vec<Option<u64>> {
        let began = Instant::now();
        let mut recent = Recent(VecDeque::from([(began, 0)]));
        let at = |&(second, done): &(u64, u64)| recent.left(began + Duration::from_secs(second), done, 1_000);
        steps.iter().map(at).map(|left| left.map(|left| left.as_secs())).collect()
    }

    #[test]
    fn a_slow_beginning_is_forgotten_and_nothing_is_guessed() {
        assert_eq!(estimates(&[(1, 10), (2, 20)]), [None, Some(98)]);
        assert_eq!(estimates(&[(2, 0), (3, 0)]), [None, None], "nothing was done yet");
        // 30 in the first ten seconds, then 50 a second.
        let late: Vec<(u64, u64)> =
            (1..=10).map(|s| (s, s * 3)).chain((11..=22).map(|s| (s, 30 + (s - 10) * 50))).collect();
        assert_eq!(estimates(&late).last(), Some(&Some(7)), "370 are left at 50 a second");
        assert_eq!(estimates(&[(5, 1_000)]), [Some(0)]);
    }
}
