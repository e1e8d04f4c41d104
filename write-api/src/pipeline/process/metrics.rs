//! How many processes there are, and what becomes of their steps.

use service::{
    Metrics,
    metrics::prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge},
};
use std::sync::atomic::{AtomicI64, AtomicU64};

type Labels = Vec<(&'static str, String)>;

/// `souk_processes`, `souk_process_overdue_seconds` and `souk_process_steps_total`.
#[derive(Debug, Clone)]
pub(crate) struct ProcessMetrics {
    processes: Family<Labels, Gauge<i64, AtomicI64>>,
    overdue: Family<Labels, Gauge<f64, AtomicU64>>,
    steps: Family<Labels, Counter>,
}

impl ProcessMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let (processes, overdue, steps) = (Family::default(), Family::default(), Family::default());
        metrics.register(|registry| {
            registry.register("processes", "Processes by name and state: open or parked", processes.clone());
            let help = "How long the process that waits longest is due; one that nobody works on gets older";
            registry.register("process_overdue_seconds", help, overdue.clone());
            registry.register("process_steps", "Steps of processes that were tried, by outcome", steps.clone());
        });
        Self { processes, overdue, steps }
    }

    /// Counts the try of a step; what follows `:` in its name tells repetitions apart and is no label.
    pub(super) fn tried(&self, process: &'static str, step: &str, outcome: &'static str) {
        let kind = step.split(':').next().unwrap_or_default().to_owned();
        let labels = vec![("process", process.to_owned()), ("step", kind), ("outcome", outcome.to_owned())];
        self.steps.get_or_create(&labels).inc();
    }

    /// Notes how many there are.
    pub(super) fn measured(&self, process: &'static str, open: i64, parked: i64, overdue_s: f64) {
        let of = |state: &str| vec![("process", process.to_owned()), ("state", state.to_owned())];
        self.processes.get_or_create(&of("open")).set(open);
        self.processes.get_or_create(&of("parked")).set(parked);
        self.overdue.get_or_create(&vec![("process", process.to_owned())]).set(overdue_s);
    }
}
