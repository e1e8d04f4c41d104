//! How much one round takes. What comes while a round is under way waits for all of it, whoever sent the rest, so a
//! round takes as much as is done in a fraction of a second.

use crate::Record;
use std::time::Duration;

/// Most in one round, and least that it is held to: below that, what a round costs by itself counts.
const MOST: usize = 8_000;
const LEAST: usize = 200;
/// How long a round may take.
const AIM: Duration = Duration::from_millis(150);
/// Bytes of payload that are as much work as one record.
const BYTES: usize = 4_096;

/// What the next round may take: so many records, counted as more where they are large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundSize {
    most: usize,
}

impl Default for RoundSize {
    /// Nothing is known yet.
    fn default() -> Self {
        Self { most: 5 * LEAST }
    }
}

impl RoundSize {
    /// At most so many records.
    #[must_use]
    pub const fn records(self) -> usize {
        self.most
    }

    /// At most so many bytes of payloads; one record is taken however large it is.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.most * BYTES
    }

    /// Learns from a round. One that took little tells nothing of what much takes.
    pub fn learn(&mut self, batch: &[Record], took: Duration) {
        self.learn_from(batch.iter().map(|record| 1 + record.bytes() / BYTES).sum(), took);
    }

    fn learn_from(&mut self, work: usize, took: Duration) {
        if work < LEAST {
            return;
        }
        let fits = work as u128 * AIM.as_nanos() / took.as_nanos().max(1);
        let fits = usize::try_from(fits).unwrap_or(MOST).clamp(LEAST, MOST);
        // Half way: one slow round is no rule.
        self.most = usize::midpoint(self.most, fits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(rounds: usize, milliseconds_per_thousand: u64) -> usize {
        let mut size = RoundSize::default();
        for _ in 0..rounds {
            let took = Duration::from_micros(size.records() as u64 * milliseconds_per_thousand);
            size.learn_from(size.records(), took);
        }
        size.records()
    }

    #[test]
    fn a_round_takes_what_is_done_in_time() {
        assert!((740..=760).contains(&after(20, 200)), "{}", after(20, 200));
        assert!(after(20, 0) > MOST - 10, "{}", after(20, 0));
        assert!(after(20, 100_000) < LEAST + 10, "however slow: {}", after(20, 100_000));
    }

    #[test]
    fn large_records_count_as_many_and_a_few_small_ones_teach_nothing() {
        let record = |bytes| Record {
            topic: "t".to_owned(),
            partition: 0,
            offset: 0,
            key: String::new(),
            payload: Some(vec![0; bytes]),
            headers: Vec::new(),
        };
        let mut size = RoundSize::default();
        size.learn(&[record(100), record(100)], Duration::from_secs(60));
        assert_eq!(size, RoundSize::default());
        size.learn(&[record(1 << 20), record(1 << 20)], Duration::from_secs(60));
        assert!(size.records() < RoundSize::default().records(), "{size:?}");
    }
}
