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

/// Upper bounds of how many commands are decided in one transaction.
const TOGETHER_BUCKETS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// `souk_commands_total`, `souk_command_duration_seconds` and `souk_commands_together`.
#[derive(Debug, Clone)]
pub(crate) struct CommandMetrics {
    commands: Family<Labels, Counter>,
    duration: Family<Labels, Histogram, fn() -> Histogram>,
    together: Family<Labels, Histogram, fn() -> Histogram>,
}

impl CommandMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let commands = Family::default();
        let histogram: fn() -> Histogram = || Histogram::new(LATENCY_BUCKETS);
        let duration = Family::new_with_constructor(histogram);
        let sizes: fn() -> Histogram = || Histogram::new(TOGETHER_BUCKETS);
        let together = Family::new_with_constructor(sizes);
        metrics.register(|registry| {
            registry.register("commands", "Commands by context, name and outcome", commands.clone());
            let help = "Time from a command, or a chunk of a bulk write, to its commit";
            registry.register("command_duration_seconds", help, duration.clone());
            let help = "Commands that were decided together in one transaction";
            registry.register("commands_together", help, together.clone());
        });
        Self { commands, duration, together }
    }

    pub(crate) fn count(&self, context: Context, command: &'static str, outcome: &'static str, many: u64) {
        let labels = vec![("context", context.name()), ("command", command), ("outcome", outcome)];
        self.commands.get_or_create(&labels).inc_by(many);
    }

    /// So many commands are decided in one transaction.
    pub(crate) fn decided_together(&self, context: Context, many: usize) {
        let many = f64::from(u32::try_from(many).unwrap_or(u32::MAX));
        self.together.get_or_create(&vec![("context", context.name())]).observe(many);
    }

    pub(crate) fn took(&self, context: Context, command: &'static str, time: Duration) {
        let labels = vec![("context", context.name()), ("command", command)];
        self.duration.get_or_create(&labels).observe(time.as_secs_f64());
    }
}
