//! How many commands came, what became of them, how long they took.

use schemas::contexts::Context;
use service::{
    Metrics,
    metrics::{
        LATENCY_BUCKETS,
        prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram},
    },
};
use std::time::Duration;

type Labels = Vec<(&'static str, &'static str)>;

/// `souk_commands_total` and `souk_command_duration_seconds`.
#[derive(Debug, Clone)]
pub(crate) struct CommandMetrics {
    commands: Family<Labels, Counter>,
    duration: Family<Labels, Histogram, fn() -> Histogram>,
}

impl CommandMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let commands = Family::default();
        let histogram: fn() -> Histogram = || Histogram::new(LATENCY_BUCKETS);
        let duration = Family::new_with_constructor(histogram);
        metrics.register(|registry| {
            registry.register("commands", "Commands by context, name and outcome", commands.clone());
            let help = "Time from a command, or a chunk of a bulk write, to its commit";
            registry.register("command_duration_seconds", help, duration.clone());
        });
        Self { commands, duration }
    }

    pub(crate) fn count(&self, context: Context, command: &'static str, outcome: &'static str, many: u64) {
        let labels = vec![("context", context.name()), ("command", command), ("outcome", outcome)];
        self.commands.get_or_create(&labels).inc_by(many);
    }

    pub(crate) fn took(&self, context: Context, command: &'static str, time: Duration) {
        let labels = vec![("context", context.name()), ("command", command)];
        self.duration.get_or_create(&labels).observe(time.as_secs_f64());
    }
}
