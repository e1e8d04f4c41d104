//! What was refused or given up for want of room or time, counted by reason.

use crate::Metrics;
use prometheus_client::metrics::{counter::Counter, family::Family};

/// Reasons of every HTTP server.
const EVERYWHERE: [&str; 10] = [
    "answer_not_read",
    "connections",
    "connections_of_peer",
    "header_not_sent",
    "headers_too_large",
    "request_timeout",
    "timeout",
    "tls_handshake",
    "unavailable",
    "uri_too_long",
];

/// `souk_requests_refused_total{reason}`. A reason is the code of the problem that was answered, or a word for what
/// could not be answered.
#[derive(Debug, Clone, Default)]
pub struct Refusals {
    counts: Family<Vec<(&'static str, String)>, Counter>,
}

impl Refusals {
    /// Registers the metric.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        let refusals = Self::default();
        // A rate needs a value from before the first one.
        for reason in EVERYWHERE {
            drop(refusals.counts.get_or_create(&vec![("reason", reason.to_owned())]));
        }
        let help = "Requests, streams and connections refused or given up for want of room or time, by reason";
        metrics.register(|registry| registry.register("requests_refused", help, refusals.counts.clone()));
        refusals
    }

    /// Counts one.
    pub fn count(&self, reason: &str) {
        self.counts.get_or_create(&vec![("reason", reason.to_owned())]).inc();
    }
}
