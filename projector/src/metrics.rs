//! The projector's Prometheus metrics.

use crate::status::judgement::State;
use service::metrics::{
    LATENCY_BUCKETS, Metrics as Registry,
    prometheus_client::{
        encoding::EncodeLabelSet,
        metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    },
};
use std::sync::atomic::AtomicU64;

/// The trends of a lag.
pub const TRENDS: [&str; 4] = ["growing", "steady", "draining", "idle"];

/// A gauge of seconds or rates.
pub type Number = Gauge<f64, AtomicU64>;

/// One label: the context, projection or role it is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Of {
    /// The name.
    pub name: String,
}

/// The trend of a projection, one series for each state, 1 for the one that holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TrendOf {
    /// The projection.
    pub name: String,
    /// growing, steady, draining or idle.
    pub trend: String,
}

/// What the lag of a projection means, one series for each state, 1 for the one that holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StateOf {
    /// The projection.
    pub name: String,
    /// ok, warning, stall or stop.
    pub state: String,
}

/// A copy of an index generation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CopyOf {
    /// The generation.
    pub generation: String,
    /// The node whose folder it lies in.
    pub node: String,
    /// building, catching_up, live, paused, held or failed.
    pub phase: String,
}

/// A tenant at one projection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TenantOf {
    /// The projection, or the relay.
    pub name: String,
    /// The tenant's id.
    pub tenant: String,
}

/// Everything the projector counts.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Outbox rows not yet acknowledged by Kafka, by context.
    pub outbox_depth: Family<Of, Gauge>,
    /// Age of the oldest of them in seconds, by context.
    pub outbox_age_seconds: Family<Of, Number>,
    /// How long nothing was sent though rows wait.
    pub outbox_still_seconds: Family<Of, Number>,
    /// Records acknowledged by Kafka, by context; `documents` for the document relay.
    pub relayed: Family<Of, Counter>,
    /// Events applied, by projection.
    pub applied: Family<Of, Counter>,
    /// Events not yet applied, by projection.
    pub lag_events: Family<Of, Gauge>,
    /// Age of the oldest of them in seconds, by projection.
    pub lag_seconds: Family<Of, Number>,
    /// The trend of the lag, by projection.
    pub lag_trend: Family<TrendOf, Gauge>,
    /// What the lag means, by projection.
    pub lag_state: Family<StateOf, Gauge>,
    /// Seconds until the lag is gone at its present rate, by projection; +Inf while it does not shrink.
    pub catch_up_seconds: Family<Of, Number>,
    /// Seconds since a projection has reported last, by projection, whichever process it runs in.
    pub heartbeat_age_seconds: Family<Of, Number>,
    /// How late the events of the tenants that wait longest were applied or still are, in seconds.
    pub tenant_late_seconds: Family<TenantOf, Number>,
    /// Documents in each copy of a generation.
    pub copy_documents: Family<CopyOf, Gauge>,
    /// Records of the document topic a copy has not taken in.
    pub copy_lag_events: Family<CopyOf, Gauge>,
    /// Seconds since the writer of a copy has reported last.
    pub copy_heartbeat_age_seconds: Family<CopyOf, Number>,
    /// Gaps between versions of an aggregate that were filled from its outbox, by projection.
    pub gaps: Family<Of, Counter>,
    /// Events parked as dead letters, by projection.
    pub dead_letters: Family<Of, Counter>,
    /// Dead letters that wait for an operator, by projection.
    pub dead_letters_open: Family<Of, Gauge>,
    /// From the event's time to the commit that made it searchable, in seconds.
    pub write_to_searchable: Histogram,
    /// Documents in the index, by generation.
    pub index_documents: Family<Of, Gauge>,
    /// Index folders that were found damaged and put aside.
    pub index_quarantined: Counter,
    /// Vectors computed.
    pub embedded: Counter,
    /// Single searches that were let go by age.
    pub searches_pruned: Counter,
    /// Rows of deleted shops that went, by projection.
    pub shops_swept: Family<Of, Counter>,
}

impl Metrics {
    /// Lets go of the series of a projection's lag, which another process tells from now on.
    pub fn forget_lag(&self, projection: &str) {
        let label = of(projection);
        self.lag_events.remove(&label);
        self.lag_seconds.remove(&label);
        self.catch_up_seconds.remove(&label);
        for trend in TRENDS {
            self.lag_trend.remove(&TrendOf { name: projection.to_owned(), trend: trend.to_owned() });
        }
        for state in State::ALL {
            self.lag_state.remove(&StateOf { name: projection.to_owned(), state: state.name().to_owned() });
        }
    }

    /// Registers everything.
    #[must_use]
    pub fn new(registry: &Registry) -> Self {
        let metrics = Self {
            outbox_depth: Family::default(),
            outbox_age_seconds: Family::default(),
            outbox_still_seconds: Family::default(),
            relayed: Family::default(),
            applied: Family::default(),
            lag_events: Family::default(),
            lag_seconds: Family::default(),
            lag_trend: Family::default(),
            lag_state: Family::default(),
            catch_up_seconds: Family::default(),
            heartbeat_age_seconds: Family::default(),
            tenant_late_seconds: Family::default(),
            copy_documents: Family::default(),
            copy_lag_events: Family::default(),
            copy_heartbeat_age_seconds: Family::default(),
            gaps: Family::default(),
            dead_letters: Family::default(),
            dead_letters_open: Family::default(),
            write_to_searchable: Histogram::new(LATENCY_BUCKETS),
            index_documents: Family::default(),
            index_quarantined: Counter::default(),
            embedded: Counter::default(),
            searches_pruned: Counter::default(),
            shops_swept: Family::default(),
        };
        metrics.register_lag(registry);
        registry.register(|r| {
            r.register("outbox_depth", "Outbox rows not yet acknowledged by Kafka", metrics.outbox_depth.clone());
            r.register("outbox_age_seconds", "Age of the oldest such row", metrics.outbox_age_seconds.clone());
            r.register(
                "outbox_still_seconds",
                "How long nothing was sent though rows wait",
                metrics.outbox_still_seconds.clone(),
            );
            r.register("relayed_records", "Records acknowledged by Kafka", metrics.relayed.clone());
            r.register("applied_events", "Events applied by a projection", metrics.applied.clone());
            r.register(
                "version_gaps",
                "Gaps between versions of an aggregate, filled from its outbox",
                metrics.gaps.clone(),
            );
            r.register("dead_letters", "Events parked as dead letters", metrics.dead_letters.clone());
            r.register(
                "dead_letters_open",
                "Dead letters that wait for an operator",
                metrics.dead_letters_open.clone(),
            );
            r.register(
                "write_to_searchable_seconds",
                "From the event to the commit that made it searchable",
                metrics.write_to_searchable.clone(),
            );
            r.register("index_documents", "Documents in the index generation", metrics.index_documents.clone());
            r.register("index_quarantined", "Damaged index folders put aside", metrics.index_quarantined.clone());
            r.register("embedded_documents", "Vectors computed", metrics.embedded.clone());
            r.register("insight_searches_pruned", "Searches let go by age", metrics.searches_pruned.clone());
            let help = "Rows of deleted shops that went from the views";
            r.register("deleted_shop_rows", help, metrics.shops_swept.clone());
        });
        metrics
    }

    fn register_lag(&self, registry: &Registry) {
        registry.register(|r| {
            r.register("projection_lag_events", "Events not yet applied", self.lag_events.clone());
            r.register("projection_lag_seconds", "Age of the oldest event not yet applied", self.lag_seconds.clone());
            r.register("projection_lag_trend", "1 for the trend that holds", self.lag_trend.clone());
            r.register("projection_state", "1 for what the lag means", self.lag_state.clone());
            r.register(
                "projection_catch_up_seconds",
                "Until the lag is gone at its present rate",
                self.catch_up_seconds.clone(),
            );
            r.register(
                "projection_heartbeat_age_seconds",
                "Since a projection has reported last",
                self.heartbeat_age_seconds.clone(),
            );
            r.register(
                "tenant_late_seconds",
                "How late the worst tenants are served",
                self.tenant_late_seconds.clone(),
            );
            r.register("generation_copy_documents", "Documents in a copy of a generation", self.copy_documents.clone());
            r.register(
                "generation_copy_lag_events",
                "Records a copy of a generation has not taken in",
                self.copy_lag_events.clone(),
            );
            r.register(
                "generation_copy_heartbeat_age_seconds",
                "Since the writer of a copy has reported last",
                self.copy_heartbeat_age_seconds.clone(),
            );
        });
    }
}

/// The label of a name.
#[must_use]
pub fn of(name: &str) -> Of {
    Of { name: name.to_owned() }
}
