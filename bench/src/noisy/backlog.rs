//! How far the projections are behind, as query-api tells it: what a load holds up, and when that is over.

use super::Args;
use crate::{BenchError, shop::Shop};
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(500);
/// Looks in a row at which nothing waits, so that it is over: projections report once a second.
const CALM_LOOKS: u32 = 5;
/// The longest wait for that.
const LIMIT: Duration = Duration::from_secs(300);

/// The furthest that a projection was behind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(super) struct Behind {
    pub(super) events: i64,
    pub(super) seconds: f64,
}

/// By projection, the furthest that it was behind.
pub(super) type Furthest = BTreeMap<String, Behind>;

/// Asks query-api how far everything is.
#[derive(Debug, Clone)]
pub(super) struct Backlog {
    shop: Shop,
}

impl Backlog {
    pub(super) async fn open(args: &Args) -> Result<Self, BenchError> {
        Ok(Self { shop: Shop::open(&args.shop).await? })
    }

    async fn look(&self) -> Result<Furthest, BenchError> {
        let answer = self.shop.read("status/lag", None).await?;
        let projections = answer.body["projections"].as_array().into_iter().flatten();
        let behind = |one: &Value| Behind {
            events: one["lag_events"].as_i64().unwrap_or_default(),
            seconds: one["lag_seconds"].as_f64().unwrap_or_default(),
        };
        Ok(projections.filter_map(|one| Some((one["projection"].as_str()?.to_owned(), behind(one)))).collect())
    }

    /// Waits until nothing has waited for a moment; gives how long that took, and nothing if it takes too long.
    pub(super) async fn until_calm(&self) -> Result<Option<Duration>, BenchError> {
        let (began, mut calm) = (Instant::now(), 0);
        while calm < CALM_LOOKS {
            if began.elapsed() > LIMIT {
                return Ok(None);
            }
            tokio::time::sleep(INTERVAL).await;
            let waits = self.look().await?.values().any(|behind| behind.events > 0);
            calm = if waits { 0 } else { calm + 1 };
        }
        Ok(Some(began.elapsed()))
    }

    /// Looks again and again, until the task is aborted.
    pub(super) fn watch(&self) -> (Arc<Mutex<Furthest>>, tokio::task::JoinHandle<()>) {
        let (furthest, backlog) = (Arc::<Mutex<Furthest>>::default(), self.clone());
        let shared = Arc::clone(&furthest);
        let task = tokio::spawn(async move {
            loop {
                // A look that fails is one less: what matters is what the measured shop's own requests come to.
                for (name, behind) in backlog.look().await.unwrap_or_default() {
                    let mut furthest = shared.lock().unwrap_or_else(PoisonError::into_inner);
                    let known = furthest.entry(name).or_default();
                    known.events = known.events.max(behind.events);
                    known.seconds = known.seconds.max(behind.seconds);
                }
                tokio::time::sleep(INTERVAL).await;
            }
        });
        (furthest, task)
    }
}
