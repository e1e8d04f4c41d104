//! Progress on standard error: a bar on a terminal, a line every few seconds elsewhere.

use super::report::{duration, grouped};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

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
        Self { what, bar, began: now, last_line: now }
    }

    /// Says that `done` of `total` units are done, which are `items` of what is counted.
    pub fn at(&mut self, done: u64, total: u64, items: u64, unit: &str) {
        let now = Instant::now();
        let seconds = now.duration_since(self.began).as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, reason = "shown rounded")]
        let (share, rate) = ((done as f64 / total.max(1) as f64).min(1.0), items as f64 / seconds);
        let left = if share > 0.0 { Duration::from_secs_f64(seconds / share - seconds) } else { Duration::ZERO };
        let message = format!("{} {unit}, {rate:.0}/s, {} left", grouped(items), duration(left));
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
