//! The shop that is measured: a steady trickle of small writes, each searched for with its token until it is found, and a
//! steady trickle of other searches.

use super::Args;
use crate::{
    BenchError,
    figures::{Figures, Latencies},
    shop::{Shop, Written},
    words::Words,
};
use serde::Serialize;
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, sleep},
};

/// How long a write is searched for.
const PATIENCE: Duration = Duration::from_secs(60);
/// Seconds after which a product may be written again: until then its last write has been found, or the shop waits.
const TURN: u64 = 20;
/// A pause after an answer without the write, so that the measured shop is not the load.
const BREATH: Duration = Duration::from_millis(2);

/// What came of the shop's requests over some time. Latencies count from the moment each request was due.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Measured {
    pub(super) writes: u64,
    pub(super) searches: u64,
    /// Requests that were answered with anything but 2xx, or not at all.
    pub(super) failed: u64,
    /// Writes that no search found in time.
    pub(super) never_found: u64,
    /// What failed, in words, and how often.
    pub(super) failures: BTreeMap<String, u64>,
    /// Until the write was answered.
    write: Figures,
    /// Until a search with the write's token shows it.
    pub(super) write_to_searchable: Figures,
    pub(super) search: Figures,
}

/// The shop and its products.
#[derive(Debug, Clone)]
pub(super) struct Quiet {
    shop: Shop,
    words: Words,
    products: Arc<Vec<tokio::sync::Mutex<Product>>>,
    writes: Arc<AtomicU64>,
    searches: Arc<AtomicU64>,
    rates: (u64, u64),
}

/// A product that is written again and again, one write at a time.
#[derive(Debug)]
struct Product {
    sku: String,
    /// A word that stays in its title.
    label: String,
    /// Its last write; none for one that is written in bulk.
    written: Option<Written>,
}

impl Quiet {
    /// Opens the shop and creates its products.
    pub(super) async fn open(args: &Args) -> Result<Self, BenchError> {
        let (shop, words) = (Shop::open(&args.shop).await?, Words::new());
        let mut products = Vec::new();
        for number in 0..(args.writes * TURN).max(20) {
            let label = words.word(u64::MAX - number);
            let sku = format!("quiet-{label}");
            let in_bulk = args.bulk_every > 0 && number % args.bulk_every == args.bulk_every - 1;
            let written = if in_bulk { None } else { Some(shop.create(&sku, &format!("Bench {sku}")).await?) };
            products.push(tokio::sync::Mutex::new(Product { sku, label, written }));
        }
        let (products, writes, searches) = (Arc::new(products), Arc::default(), Arc::default());
        Ok(Self { shop, words, products, writes, searches, rates: (args.writes, args.queries) })
    }

    /// Writes and searches for some time, and waits until every write is found or given up.
    pub(super) async fn measure(&self, seconds: u64) -> Result<Measured, BenchError> {
        let tally = Arc::new(Mutex::new(Tally::new()?));
        let (writer, writes) = (self.clone(), Arc::clone(&tally));
        let writing = tokio::spawn(at_rate(self.rates.0, seconds, move |due| {
            let (shop, tally) = (writer.clone(), Arc::clone(&writes));
            async move { shop.write(due, &tally).await }
        }));
        let (searcher, searches) = (self.clone(), Arc::clone(&tally));
        let searching = tokio::spawn(at_rate(self.rates.1, seconds, move |due| {
            let (shop, tally) = (searcher.clone(), Arc::clone(&searches));
            async move { shop.search(due, &tally).await }
        }));
        for task in [writing, searching] {
            task.await.map_err(|error| BenchError::Broken(error.to_string()))?;
        }
        let tally = lock(&tally);
        Ok(tally.measured())
    }

    async fn write(&self, due: Instant, tally: &Mutex<Tally>) {
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        let place = usize::try_from(number).unwrap_or_default() % self.products.len();
        let mut product = self.products[place].lock().await;
        let word = self.words.word(number);
        let title = format!("Bench {} {word}", product.label);
        let token = match self.rename(&mut product, &title).await {
            Ok(token) => token,
            Err(error) => return lock(tally).failed(&error),
        };
        lock(tally).write.add(due.elapsed());
        let answered = Instant::now();
        while answered.elapsed() < PATIENCE {
            match self.shop.search(&word, 10, Some(&token)).await {
                Ok(found) if found.hits.iter().any(|hit| hit.title == title) => {
                    return lock(tally).found(due.elapsed());
                }
                Ok(_) => {}
                Err(error) => lock(tally).failed(&error),
            }
            sleep(BREATH).await;
        }
        let mut tally = lock(tally);
        tally.never_found += 1;
        tally.found(due.elapsed());
    }

    async fn rename(&self, product: &mut Product, title: &str) -> Result<String, BenchError> {
        let sku = &product.sku;
        if let Some(written) = &product.written {
            let written = self.shop.retitle(written, sku, title).await?;
            let token = written.token.clone();
            product.written = Some(written);
            return Ok(token);
        }
        let line =
            json!({"external_id": sku, "slug": sku, "title": title, "variants": [{"sku": sku}], "publish": true});
        self.shop.bulk("products", format!("{line}\n")).await
    }

    async fn search(&self, due: Instant, tally: &Mutex<Tally>) {
        // As shoppers ask: words that a product has, what is on the first page, and what could be chosen.
        let number = self.searches.fetch_add(1, Ordering::Relaxed) % (self.products.len() as u64);
        let text = format!("bench {}", self.words.word(u64::MAX - number));
        let body = json!({"q": text, "mode": "lexical", "facets": ["brand", "category", "price"], "limit": 20});
        let answer = self.shop.ask(&body).await;
        let mut tally = lock(tally);
        tally.searches += 1;
        match answer {
            Ok(_) => tally.search.add(due.elapsed()),
            Err(error) => tally.failed(&error),
        }
    }
}

fn lock(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
struct Tally {
    writes: u64,
    searches: u64,
    never_found: u64,
    failures: BTreeMap<String, u64>,
    write: Latencies,
    write_to_searchable: Latencies,
    search: Latencies,
}

impl Tally {
    fn new() -> Result<Self, BenchError> {
        Ok(Self {
            writes: 0,
            searches: 0,
            never_found: 0,
            failures: BTreeMap::new(),
            write: Latencies::new()?,
            write_to_searchable: Latencies::new()?,
            search: Latencies::new()?,
        })
    }

    fn found(&mut self, time: Duration) {
        self.writes += 1;
        self.write_to_searchable.add(time);
    }

    fn failed(&mut self, error: &BenchError) {
        let words = match error {
            // Without the address, which names a product.
            BenchError::Service { what, reason, .. } => format!("{what}: {reason}"),
            other => other.to_string(),
        };
        *self.failures.entry(words).or_default() += 1;
    }

    fn measured(&self) -> Measured {
        Measured {
            writes: self.writes,
            searches: self.searches,
            failed: self.failures.values().sum(),
            never_found: self.never_found,
            failures: self.failures.clone(),
            write: self.write.figures(),
            write_to_searchable: self.write_to_searchable.figures(),
            search: self.search.figures(),
        }
    }
}

/// Starts something at a rate for some seconds, whether or not what was started before has ended; waits for all of it.
async fn at_rate<F, Fut>(rate: u64, seconds: u64, start: F)
where
    F: Fn(Instant) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let mut clock = tokio::time::interval(Duration::from_nanos(1_000_000_000 / rate.max(1)));
    clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut tasks = JoinSet::new();
    for _ in 0..rate * seconds {
        let due = Instant::from(clock.tick().await);
        tasks.spawn(start(due));
        while tasks.try_join_next().is_some() {}
    }
    while tasks.join_next().await.is_some() {}
}
