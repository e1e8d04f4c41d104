//! Latencies as percentiles.

use hdrhistogram::Histogram;
use serde::Serialize;
use std::{fmt, time::Duration};

/// Collects durations to three digits.
#[derive(Debug, Clone)]
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Result<Self, crate::BenchError> {
        // From a microsecond to ten minutes.
        Histogram::new_with_bounds(1, 600_000_000, 3)
            .map(Self)
            .map_err(|error| crate::BenchError::Broken(error.to_string()))
    }

    pub(crate) fn add(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1));
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), crate::BenchError> {
        self.0.add(&other.0).map_err(|error| crate::BenchError::Broken(error.to_string()))
    }

    pub(crate) fn figures(&self) -> Figures {
        let at = |quantile| milliseconds(self.0.value_at_quantile(quantile));
        Figures { p50_ms: at(0.5), p90_ms: at(0.9), p99_ms: at(0.99), max_ms: milliseconds(self.0.max()) }
    }
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn milliseconds(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

/// Percentiles in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Figures {
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50_ms, p90_ms, p99_ms, max_ms } = self;
        write!(f, "p50 {p50_ms:.1} ms, p90 {p90_ms:.1} ms, p99 {p99_ms:.1} ms, worst {max_ms:.1} ms")
    }
}
