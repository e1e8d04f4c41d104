//! Whether the machine's host gave the processors to others meanwhile: latencies on a rented machine mean little without.

use std::{collections::BTreeMap, fs};

/// Ticks of all processors since the start of the machine: stolen, and all (`man 5 proc_stat`); none off Linux.
fn ticks() -> Option<(u64, u64)> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let all: Vec<u64> = text.lines().next()?.split_whitespace().skip(1).take(8).flat_map(str::parse).collect();
    Some((*all.get(7)?, all.iter().sum()))
}

/// Counts by phase.
#[derive(Debug)]
pub struct Stolen {
    phase: &'static str,
    since: Option<(u64, u64)>,
    counted: BTreeMap<&'static str, (u64, u64)>,
}

impl Stolen {
    /// Begins, in the phase `warming`.
    pub fn new() -> Self {
        Self { phase: "warming", since: ticks(), counted: BTreeMap::new() }
    }

    /// From now on it counts for another phase.
    pub fn phase(&mut self, next: &'static str) {
        let now = ticks();
        if let (Some(before), Some(now)) = (self.since, now) {
            let counted = self.counted.entry(self.phase).or_default();
            counted.0 += now.0.saturating_sub(before.0);
            counted.1 += now.1.saturating_sub(before.1);
        }
        (self.phase, self.since) = (next, now);
    }

    /// The share that was stolen of each phase, in percent.
    #[expect(clippy::cast_precision_loss, reason = "shown rounded")]
    pub fn percent(mut self) -> BTreeMap<&'static str, f64> {
        self.phase(self.phase);
        self.counted
            .iter()
            .map(|(phase, (stolen, all))| (*phase, 100.0 * *stolen as f64 / (*all).max(1) as f64))
            .collect()
    }
}
