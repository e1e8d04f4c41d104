//! What is being done right now, on standard error: a line that changes on a terminal, a new line now and
//! then elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

/// How often a line is written where there is no terminal.
const LINE: Duration = Duration::from_secs(2);

/// One step of something that may take a while.
#[derive(Debug)]
pub struct Step {
    what: String,
    bar: Option<ProgressBar>,
    began: Instant,
    last_line: Instant,
}

impl Step {
    /// Begins a step; `what` is a verb in its ing form.
    #[must_use]
    pub fn begin(what: impl Into<String>) -> Self {
        let what = what.into();
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {msg}") {
                bar.set_style(style);
            }
            bar.set_prefix(what.clone());
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        let now = Instant::now();
        Self { what, bar, began: now, last_line: now }
    }

    /// Says how far it is.
    pub fn at(&mut self, how_far: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(how_far.to_owned()),
            None if self.last_line.elapsed() >= LINE => {
                self.last_line = Instant::now();
                eprintln!("[{:6.1} s] {}: {how_far}", self.began.elapsed().as_secs_f64(), self.what);
            }
            None => {}
        }
    }

    /// Ends it.
    pub fn done(self, result: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        eprintln!("[{:6.1} s] {}: {result}", self.began.elapsed().as_secs_f64(), self.what);
    }
}

/// A size for people.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let mebibytes = bytes as f64 / 1_048_576.0;
    format!("{mebibytes:.1} MiB")
}
