//! Whether availability is honest: what listings and searches, product pages, carts and checkouts say of a variant is compared,
//! round by round. What differs for longer than two seconds, while nothing was written, contradicts.
//!
//! Surfaces are asked over HTTP, as shoppers ask them; what a checkout goes by is read from the write database, by a function
//! that tells nothing else. It is a client of both sides, as the [probe](crate::probe) is, and runs where that runs.

mod asked;
mod chosen;
mod said;
mod source;
mod watch;

use crate::{context::CommandContext, failure::Failure};
use asked::Shopper;
use chosen::{Turns, Variant};
use said::Look;
pub use said::Surface;
use schemas::Utc;
use service::{
    metrics::{
        Metrics as Registry,
        prometheus_client::{
            encoding::EncodeLabelSet,
            metrics::{counter::Counter, family::Family, gauge::Gauge},
        },
    },
    shutdown::Shutdown,
};
use sqlx::PgPool;
use std::{
    collections::{BTreeMap, HashSet},
    sync::atomic::{AtomicI64, AtomicU64},
    time::{Duration, Instant},
};
pub use watch::Contradictions;
use watch::Watch;

/// How often open verdicts are waited for in one round. What is written all the time is looked at in the next.
const LOOKS_AGAIN: usize = 3;

/// The comparison that runs beside everything.
#[derive(Debug, Clone, clap::Args)]
pub struct Background {
    /// Seconds between two comparisons of what surfaces say of availability; 0 for none
    #[arg(long, env = "SOUK_AVAILABILITY_SECONDS", default_value_t = 15)]
    pub availability_seconds: u64,
    /// Variants that such a comparison chooses: half by their last changes, half by turns
    #[arg(long, env = "SOUK_AVAILABILITY_VARIANTS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..=500))]
    pub availability_variants: u32,
}

/// What a round has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// Variants that were compared.
    pub compared: u64,
    /// Those that could not be: a surface refused or did not answer.
    pub failed: u64,
    /// What contradicts the write side, by surface.
    pub contradictions: BTreeMap<Surface, Contradictions>,
}

/// The label of a surface.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSurface {
    surface: &'static str,
}

/// What is counted.
#[derive(Debug, Clone)]
pub struct Metrics {
    compared: Counter,
    failures: Counter,
    contradictions: Family<OfSurface, Gauge<i64, AtomicI64>>,
    last_compared: Gauge<f64, AtomicU64>,
}

impl Metrics {
    /// Registers everything, with every surface at 0.
    #[must_use]
    pub fn new(registry: &Registry) -> Self {
        let metrics = Self {
            compared: Counter::default(),
            failures: Counter::default(),
            contradictions: Family::default(),
            last_compared: Gauge::default(),
        };
        for surface in Surface::SHOWN {
            metrics.contradictions.get_or_create(&OfSurface { surface: surface.name() }).set(0);
        }
        // A comparison that never succeeds is as bad as none: its age counts from the start.
        metrics.last_compared.set(now_seconds());
        registry.register(|r| {
            let help = "Variants of which all surfaces were asked whether they can be had";
            r.register("availability_compared", help, metrics.compared.clone());
            let help = "Variants that could not be compared, and rounds that failed";
            r.register("availability_failures", help, metrics.failures.clone());
            let help = "Variants of which a surface says something else than the write side, for longer than 2 s";
            r.register("availability_contradictions", help, metrics.contradictions.clone());
            let help = "When variants have been compared last, or the comparison was started";
            r.register("availability_last_compared_timestamp_seconds", help, metrics.last_compared.clone());
        });
        metrics
    }

    /// Takes a round into account.
    pub fn observe(&self, round: &Round) {
        self.compared.inc_by(round.compared);
        self.failures.inc_by(round.failed);
        for surface in Surface::SHOWN {
            let count = round.contradictions.get(&surface).map_or(0, |found| found.count);
            self.contradictions.get_or_create(&OfSurface { surface: surface.name() }).set(count);
        }
        if round.failed == 0 {
            self.last_compared.set(now_seconds());
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a point in time for a gauge")]
fn now_seconds() -> f64 {
    Utc::now().timestamp_millis() as f64 / 1e3
}

/// Rounds, each of which knows what differed in the one before.
#[derive(Debug)]
pub struct Comparison {
    context: CommandContext,
    write: Option<PgPool>,
    shopper: Shopper,
    variants: i64,
    turns: Turns,
    watch: Watch,
    began: Instant,
}

impl Comparison {
    /// A comparison of so many variants in each round. Without the write database, what a checkout would say is left out.
    ///
    /// # Errors
    /// If there can be no HTTP client.
    pub fn new(context: CommandContext, write: Option<PgPool>, variants: u32) -> Result<Self, Failure> {
        let shopper = Shopper::new(context.admin_key.as_deref())?;
        let (turns, watch) = (Turns::default(), Watch::default());
        Ok(Self { context, write, shopper, variants: i64::from(variants), turns, watch, began: Instant::now() })
    }

    /// Compares once. What differs is looked at again until it agrees, has lasted long enough, or is written time and again.
    ///
    /// # Errors
    /// A database's, or if there is no query-api.
    pub async fn round(&mut self) -> Result<Round, Failure> {
        let query_url = self.context.query_api().await?;
        let chosen = self.chosen().await?;
        let (compared, mut failed) = self.compare(&query_url, &chosen).await;
        for _ in 0..LOOKS_AGAIN {
            let Some((open, due)) = self.watch.open() else { break };
            tokio::time::sleep(due.saturating_sub(self.began.elapsed())).await;
            failed += self.compare(&query_url, &open).await.1;
        }
        Ok(Round { compared, failed, contradictions: self.watch.contradictions() })
    }

    /// What differed before, what has changed last, and whose turn it is; each once.
    async fn chosen(&mut self) -> Result<Vec<Variant>, Failure> {
        let mut chosen = self.watch.suspects();
        let newest = self.variants / 2;
        if let Some(write) = &self.write {
            chosen.extend(chosen::newest(&self.context.pool, write, newest).await?);
        }
        chosen.extend(self.turns.next(&self.context.pool, self.variants - newest).await?);
        let mut known = HashSet::new();
        chosen.retain(|variant| known.insert(variant.id));
        Ok(chosen)
    }

    /// Looks at variants, one after the other; gives how many could be compared, and how many could not.
    async fn compare(&mut self, query_url: &str, variants: &[Variant]) -> (u64, u64) {
        let (mut compared, mut failed) = (0, 0);
        for variant in variants {
            match self.look(query_url, variant).await {
                Ok(look) => {
                    self.watch.look(variant, &look, self.began.elapsed());
                    compared += 1;
                }
                Err(error) => {
                    failed += 1;
                    tracing::warn!(%error, shop = %variant.slug, sku = %variant.sku, "the availability of a variant can't be compared");
                }
            }
        }
        (compared, failed)
    }

    async fn look(&self, query_url: &str, variant: &Variant) -> Result<Look, Failure> {
        let (read, write) = (&self.context.pool, self.write.as_ref());
        let before = source::told(read, write, variant).await?;
        let shown = self.shopper.ask(query_url, variant).await?;
        let after = source::told(read, write, variant).await?;
        let checkout = after.said.map(|said| (Surface::Checkout, said));
        Ok(Look { said: shown.into_iter().chain(checkout).collect(), before: before.versions, after: after.versions })
    }
}

/// Compares at the interval until shutdown.
pub async fn run(
    context: CommandContext,
    write: Option<PgPool>,
    args: Background,
    metrics: Metrics,
    shutdown: Shutdown,
) {
    let mut comparison = match Comparison::new(context, write, args.availability_variants) {
        Ok(comparison) => comparison,
        Err(error) => return tracing::error!(%error, "availability is not compared"),
    };
    let mut ticks = tokio::time::interval(Duration::from_secs(args.availability_seconds.max(1)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = shutdown.wait() => return,
        }
        let round = tokio::select! {
            round = comparison.round() => round,
            () = shutdown.wait() => return,
        };
        match round {
            Ok(round) => {
                metrics.observe(&round);
                tell(&round);
            }
            Err(error) => {
                metrics.failures.inc();
                tracing::warn!(%error, "availability can't be compared");
            }
        }
    }
}

/// Names the first variant of which each surface says something else.
fn tell(round: &Round) {
    for (surface, found) in &round.contradictions {
        let first = found.first.as_deref().unwrap_or_default();
        tracing::error!(surface = surface.name(), variants = found.count, first, "availability contradicts");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_surface_is_counted_from_the_start_and_what_has_ended_is_no_more() {
        let registry = Registry::default();
        let metrics = Metrics::new(&registry);
        let count = |surface: &str, count: u64| {
            let line = format!("souk_availability_contradictions{{surface=\"{surface}\"}} {count}");
            assert!(registry.text().contains(&line), "{line} in {}", registry.text());
        };
        Surface::SHOWN.into_iter().for_each(|surface| count(surface.name(), 0));
        let found = Contradictions { count: 3, first: Some("demo K-1: page: sold out".to_owned()) };
        metrics.observe(&Round { compared: 20, failed: 0, contradictions: [(Surface::Page, found)].into() });
        count("page", 3);
        metrics.observe(&Round { compared: 20, ..Round::default() });
        count("page", 0);
        assert!(registry.text().contains("souk_availability_compared_total 40"), "{}", registry.text());
    }
}
