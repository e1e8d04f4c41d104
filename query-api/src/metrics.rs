//! The query API's Prometheus metrics.

use service::metrics::{
    LATENCY_BUCKETS, Metrics as Registry,
    prometheus_client::{
        encoding::EncodeLabelSet,
        metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    },
};

/// A route and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Answered {
    /// The route's pattern.
    pub route: String,
    /// The HTTP status.
    pub status: u16,
}

/// A route.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Route {
    /// The route's pattern.
    pub route: String,
}

/// Whether a read with a token was fresh.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Outcome {
    /// `fresh` or `stale`; for caches `hit` or `miss`; for searches `found` or `empty`.
    pub outcome: &'static str,
}

/// What is held in memory.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Held {
    /// `searches`, `views` or `query_vectors`.
    pub cache: &'static str,
}

/// Everything that is counted.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Answers by route and status.
    pub answers: Family<Answered, Counter>,
    /// Seconds by route.
    pub seconds: Family<Route, Histogram, fn() -> Histogram>,
    /// Reads with a token, by outcome.
    pub tokens: Family<Outcome, Counter>,
    /// Cache lookups of searches, by outcome.
    pub cache: Family<Outcome, Counter>,
    /// Searches by whether they found anything.
    pub searches: Family<Outcome, Counter>,
    /// Bytes of what is kept, by cache.
    pub held: Family<Held, Gauge>,
    /// States of the index that are kept for cursors.
    pub cursor_states: Gauge,
    /// Reads that wait for a consistency token.
    pub waiting: Gauge,
}

impl Metrics {
    /// Registers everything.
    #[must_use]
    pub fn new(registry: &Registry) -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(LATENCY_BUCKETS);
        let metrics = Self {
            answers: Family::default(),
            seconds: Family::new_with_constructor(histogram),
            tokens: Family::default(),
            cache: Family::default(),
            searches: Family::default(),
            held: Family::default(),
            cursor_states: Gauge::default(),
            waiting: Gauge::default(),
        };
        // A share can be taken from the first search on.
        for outcome in ["found", "empty"] {
            metrics.searches.get_or_create(&Outcome { outcome }).inc_by(0);
        }
        registry.register(|r| {
            r.register("query_answers", "Answers by route and status", metrics.answers.clone());
            r.register("query_seconds", "Time to answer by route", metrics.seconds.clone());
            r.register("query_tokens", "Reads with a consistency token", metrics.tokens.clone());
            r.register("query_cache", "Cache lookups of searches", metrics.cache.clone());
            r.register("query_cache_bytes", "Bytes of what is kept in memory, about", metrics.held.clone());
            r.register(
                "query_cursor_states",
                "States of the index that are kept for cursors",
                metrics.cursor_states.clone(),
            );
            r.register("query_waiting_reads", "Reads that wait for a consistency token", metrics.waiting.clone());
            r.register("query_searches", "Searches by whether they found anything", metrics.searches.clone());
        });
        metrics
    }

    /// The gauge of a cache.
    #[must_use]
    pub fn held(&self, cache: &'static str) -> Gauge {
        self.held.get_or_create(&Held { cache }).clone()
    }

    /// Counts an answered search by its total.
    pub fn searched(&self, total: usize) {
        let outcome = if total == 0 { "empty" } else { "found" };
        self.searches.get_or_create(&Outcome { outcome }).inc();
    }
}
