//! Prometheus metrics: one registry per process, served as OpenMetrics text at `/metrics`.

use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, text::encode},
    metrics::{counter::ConstCounter, info::Info},
    registry::{Registry, Unit},
};
use std::sync::{Arc, Mutex, PoisonError};

pub use prometheus_client;

/// The profile that this program was built with: `release`, `local` or `dev`.
pub const BUILD_PROFILE: &str = env!("SOUK_BUILD_PROFILE");

/// The process's registry. Names start with `souk_` and end in their unit.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("souk");
        registry.register_collector(Box::new(ProcessorTime));
        let build = Info::new([("version", env!("CARGO_PKG_VERSION")), ("profile", BUILD_PROFILE)]);
        registry.register("build", "The version of souk and the profile it was built with", build);
        Self { registry: Arc::new(Mutex::new(registry)) }
    }
}

impl Metrics {
    /// Registers metrics; the names given get the prefix `souk_`.
    pub fn register<T>(&self, f: impl FnOnce(&mut Registry) -> T) -> T {
        f(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All metrics as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a String does not fail.
        let _ = encode(&mut text, &self.registry.lock().unwrap_or_else(PoisonError::into_inner));
        text
    }

    /// `GET /metrics`.
    pub fn routes(&self) -> Router {
        Router::new().route("/metrics", get(serve)).with_state(self.clone())
    }
}

async fn serve(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], metrics.text())
}

/// `souk_process_cpu_seconds_total`: what the process has used of the processors.
#[derive(Debug)]
struct ProcessorTime;

/// The kernel's unit in /proc, the same on all of Linux's present architectures (`man 5 proc`: USER_HZ).
const TICKS_PER_SECOND: f64 = 100.0;

impl Collector for ProcessorTime {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let counter = ConstCounter::new(processor_seconds().unwrap_or_default());
        let help = "What the process has used of the processors";
        let metric = encoder.encode_descriptor("process_cpu", help, Some(&Unit::Seconds), counter.metric_type())?;
        counter.encode(metric)
    }
}

/// User and system time of this process; none where /proc doesn't tell.
fn processor_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name, in parentheses, may hold spaces; user and system time are fields 14 and 15.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS_PER_SECOND)
}

/// Bucket bounds for latencies in seconds, from 1 ms to 30 s.
pub const LATENCY_BUCKETS: [f64; 16] =
    [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_says_how_it_was_built() {
        let text = Metrics::default().text();
        let line = text.lines().find(|line| line.starts_with("souk_build_info{")).expect("the line");
        assert!(line.contains(&format!("profile=\"{BUILD_PROFILE}\"")), "{line}");
        assert!(["release", "local", "dev"].contains(&BUILD_PROFILE), "{BUILD_PROFILE}");
    }
}
