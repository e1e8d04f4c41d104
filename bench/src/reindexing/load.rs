//! Shoppers and staff at fixed rates, until told to stop.

use super::{
    Args, catalog,
    witness::{Held, Witness},
};
use crate::{
    BenchError,
    figures::{Figures, Latencies},
    shop::{Shop, Written},
    words::Words,
};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinHandle, time::MissedTickBehavior};

/// Products that are renamed.
const RENAMED: u64 = 400;

#[derive(Debug, Default)]
struct Counts {
    stop: AtomicBool,
    queries: AtomicU64,
    failed_queries: AtomicU64,
    older_seen: AtomicU64,
    writes: AtomicU64,
    failed_writes: AtomicU64,
}

/// A query that was answered: in which phase, when it was due, and how long it took from there.
#[derive(Debug, Clone, Copy)]
struct Query {
    phase: &'static str,
    due: Instant,
    took: Duration,
}

/// Load that goes on.
pub struct Load {
    counts: Arc<Counts>,
    phase: Arc<Mutex<&'static str>>,
    queries: Arc<Mutex<Vec<Query>>>,
    witness: Mutex<Witness>,
    write: Arc<Mutex<Latencies>>,
    tasks: Vec<JoinHandle<Result<(), BenchError>>>,
    /// Since when, and from which latency on, it is told of.
    told: (Instant, Option<Duration>),
}

/// What the load has seen.
pub struct Loaded {
    pub queries: u64,
    pub failed_queries: u64,
    pub older_seen: u64,
    pub writes: u64,
    pub failed_writes: u64,
    pub write: Figures,
    /// When the machine's host held a processor.
    pub held: Held,
    answered: Vec<Query>,
}

impl Loaded {
    /// Over one phase, or over several together.
    pub fn latency(&self, phases: &[&str]) -> Result<Figures, BenchError> {
        self.over(phases, |_| true).map(|(figures, _)| figures)
    }

    /// The same without the queries that were on their way while the machine's host held a processor, and how many
    /// are left out.
    pub fn undisturbed(&self, phases: &[&str]) -> Result<(Figures, u64), BenchError> {
        self.over(phases, |query| !self.held.between(query.due, query.due + query.took))
    }

    fn over(&self, phases: &[&str], counts: impl Fn(&Query) -> bool) -> Result<(Figures, u64), BenchError> {
        let (mut all, mut counted, mut left_out) = (Latencies::new()?, 0_u64, 0);
        for query in self.answered.iter().filter(|query| phases.contains(&query.phase)) {
            if counts(query) {
                counted += 1;
                all.add(query.took);
            } else {
                left_out += 1;
            }
        }
        if counted == 0 {
            return Err(BenchError::Broken(format!("no query was made while {}", phases.join(" or "))));
        }
        Ok((all.figures(), left_out))
    }
}

/// A product that is renamed: one write at a time, and the highest step that anybody has seen.
struct Slot {
    sku: String,
    word: String,
    product: tokio::sync::Mutex<(Written, u64)>,
    seen: AtomicU64,
}

impl Load {
    /// Begins, in the phase `warming`.
    pub async fn start(shop: &Shop, args: &Args) -> Result<Self, BenchError> {
        let words = Words::new();
        let mut slots = Vec::new();
        for number in 0..RENAMED.min(args.products) {
            let word = words.word(number);
            let written = shop.create(&format!("renamed-{word}"), &format!("Bench {word} step 0")).await?;
            slots.push(Arc::new(Slot {
                sku: format!("renamed-{word}"),
                word,
                product: tokio::sync::Mutex::new((written, 0)),
                seen: AtomicU64::new(0),
            }));
        }
        let load = Self {
            counts: Arc::default(),
            phase: Arc::new(Mutex::new("warming")),
            queries: Arc::default(),
            witness: Mutex::new(Witness::start().map_err(|error| BenchError::Broken(error.to_string()))?),
            write: Arc::new(Mutex::new(Latencies::new()?)),
            tasks: Vec::new(),
            told: (Instant::now(), args.tell_slower.map(Duration::from_millis)),
        };
        Ok(load.with_tasks(shop, slots, args))
    }

    fn with_tasks(mut self, shop: &Shop, slots: Vec<Arc<Slot>>, args: &Args) -> Self {
        let (began, told) = self.told;
        let slots = Arc::new(slots);
        let (counts, shared, own) = (Arc::clone(&self.counts), Arc::clone(&slots), shop.clone());
        let (phase, answers) = (Arc::clone(&self.phase), Arc::clone(&self.queries));
        self.tasks.push(tokio::spawn(at_rate(Arc::clone(&self.counts), args.queries, move |number, due| {
            let (counts, slots, shop) = (Arc::clone(&counts), Arc::clone(&shared), own.clone());
            let (phase, answers) = (Arc::clone(&phase), Arc::clone(&answers));
            async move {
                let now = *phase.lock().unwrap_or_else(PoisonError::into_inner);
                let answered = if number % 10 == 0 {
                    let slot = &slots[usize::try_from(number / 10).unwrap_or_default() % slots.len()];
                    follow(&shop, slot, &counts).await
                } else {
                    shop.search(&catalog::query(number), 20, None).await.map(|_| ())
                };
                counts.queries.fetch_add(1, Ordering::Relaxed);
                if let Err(error) = answered {
                    eprintln!("{error}");
                    counts.failed_queries.fetch_add(1, Ordering::Relaxed);
                }
                let took = due.elapsed();
                if told.is_some_and(|limit| took > limit) {
                    let at = due.duration_since(began).as_secs_f64();
                    eprintln!("slow: {now}, second {at:.3}, {:.1} ms", took.as_secs_f64() * 1_000.0);
                }
                let query = Query { phase: now, due, took };
                answers.lock().unwrap_or_else(PoisonError::into_inner).push(query);
                Ok(())
            }
        })));
        let (counts, own, write) = (Arc::clone(&self.counts), shop.clone(), Arc::clone(&self.write));
        self.tasks.push(tokio::spawn(at_rate(Arc::clone(&self.counts), args.writes, move |number, due| {
            let (counts, slots, shop, write) =
                (Arc::clone(&counts), Arc::clone(&slots), own.clone(), Arc::clone(&write));
            async move {
                let slot = &slots[usize::try_from(number).unwrap_or_default() % slots.len()];
                let mut product = slot.product.lock().await;
                let step = product.1 + 1;
                let title = format!("Bench {} step {step}", slot.word);
                counts.writes.fetch_add(1, Ordering::Relaxed);
                match shop.retitle(&product.0, &slot.sku, &title).await {
                    Ok(written) => *product = (written, step),
                    Err(error) => {
                        eprintln!("{error}");
                        counts.failed_writes.fetch_add(1, Ordering::Relaxed);
                    }
                }
                write.lock().unwrap_or_else(PoisonError::into_inner).add(due.elapsed());
                Ok(())
            }
        })));
        self
    }

    /// Tells of a step, if slow queries are told of.
    pub fn tell(&self, step: &str) {
        if self.told.1.is_some() {
            eprintln!("{step}, second {:.3}", self.told.0.elapsed().as_secs_f64());
        }
    }

    /// From now on latencies count for another phase.
    pub fn phase(&self, name: &'static str) {
        self.tell(name);
        self.witness.lock().unwrap_or_else(PoisonError::into_inner).phase(name);
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = name;
    }

    /// Queries so far.
    pub fn queries(&self) -> u64 {
        self.counts.queries.load(Ordering::Relaxed)
    }

    /// Whether the load goes on.
    pub fn check(&self) -> Result<(), BenchError> {
        if self.tasks.iter().any(JoinHandle::is_finished) {
            return Err(BenchError::Broken("the load has ended by itself".to_owned()));
        }
        Ok(())
    }

    /// Ends it.
    pub async fn end(self) -> Result<Loaded, BenchError> {
        self.counts.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.map_err(|error| BenchError::Broken(error.to_string()))??;
        }
        let counted = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let answered = std::mem::take(&mut *self.queries.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Loaded {
            queries: counted(&self.counts.queries),
            failed_queries: counted(&self.counts.failed_queries),
            older_seen: counted(&self.counts.older_seen),
            writes: counted(&self.counts.writes),
            failed_writes: counted(&self.counts.failed_writes),
            write: self.write.lock().unwrap_or_else(PoisonError::into_inner).figures(),
            held: self.witness.into_inner().unwrap_or_else(PoisonError::into_inner).end(),
            answered,
        })
    }
}

/// Searches for a product that is renamed; whoever asks after a step was seen must see it or a later one.
async fn follow(shop: &Shop, slot: &Slot, counts: &Counts) -> Result<(), BenchError> {
    let known = slot.seen.load(Ordering::SeqCst);
    let found = shop.search(&slot.word, 1, None).await?;
    let step = |title: &str| title.split(' ').next_back().and_then(|text| text.parse::<u64>().ok());
    let seen = found.hits.first().and_then(|hit| step(&hit.title));
    match seen {
        Some(seen) => {
            slot.seen.fetch_max(seen, Ordering::SeqCst);
            counts.older_seen.fetch_add(u64::from(seen < known), Ordering::Relaxed);
        }
        // A product that has been seen once is not lost.
        None => {
            counts.older_seen.fetch_add(u64::from(known > 0), Ordering::Relaxed);
        }
    }
    Ok(())
}

/// Starts something at a rate, whether or not what was started before has ended.
async fn at_rate<F, Fut>(counts: Arc<Counts>, rate: u64, start: F) -> Result<(), BenchError>
where
    F: Fn(u64, Instant) -> Fut,
    Fut: Future<Output = Result<(), BenchError>> + Send + 'static,
{
    if rate == 0 {
        return Ok(());
    }
    let mut clock = tokio::time::interval(Duration::from_nanos(1_000_000_000 / rate));
    clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0.. {
        let due = Instant::from(clock.tick().await);
        if counts.stop.load(Ordering::Relaxed) {
            break;
        }
        tasks.spawn(start(number, due));
        while let Some(ended) = tasks.try_join_next() {
            ended.map_err(|error| BenchError::Broken(error.to_string()))??;
        }
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| BenchError::Broken(error.to_string()))??;
    }
    Ok(())
}
