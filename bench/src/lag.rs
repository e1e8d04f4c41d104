//! Writes at a fixed rate while an observer searches without tokens: how long until a write shows?

use crate::{
    BenchError,
    figures::{Figures, Latencies},
    shop::{Shop, ShopArgs, Written},
    words::Words,
};
use launcher::import::Progress;
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, time::MissedTickBehavior};

/// Writes that share a word, so that one search shows which of them have arrived; below the page size.
const BUCKET: u64 = 50;
/// How long the observer waits for the last writes.
const PATIENCE: Duration = Duration::from_secs(30);

const EXAMPLES: &str = "Examples:
  souk bench lag
  souk bench lag --rate 200 --seconds 60 --json

Products are renamed at a fixed rate, whether or not earlier writes were answered (open loop), while an
observer searches without tokens all the time. The lag of a write is the time from its answer to the
answer of the first search that shows it, so it includes one search.";

/// Measure the time from a write until a search finds it
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Writes per second
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=5_000))]
    pub rate: u64,
    /// Seconds to write
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
    /// Where
    #[command(flatten)]
    pub shop: ShopArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    writes: u64,
    rate_per_second: f64,
    never_seen: u64,
    searches: u64,
    /// From the moment a write was due, so that a backlog is not hidden.
    write: Figures,
    lag: Figures,
}

/// A write that was answered and has not been seen yet.
struct Pending {
    number: u64,
    title: String,
    answered: Instant,
}

/// Measures and prints.
///
/// # Errors
/// [`BenchError`] if a service fails.
pub async fn run(args: Args) -> Result<(), BenchError> {
    let shop = Shop::open(&args.shop).await?;
    let words = Words::new();
    let writes = args.rate * args.seconds;
    // No product is renamed again while its last name may still be on its way.
    let pool = products(&shop, words, (args.rate * 20).clamp(20, 4_000).min(writes)).await?;
    let (sender, receiver) = mpsc::unbounded_channel();
    let observer = tokio::spawn(observe(shop.clone(), words, receiver));
    let began = Instant::now();
    let write = write(&shop, words, &args, pool, sender).await?;
    let rate_per_second = per_second(writes, began.elapsed());
    let Seen { lag, never_seen, searches } =
        observer.await.map_err(|error| BenchError::Broken(error.to_string()))??;
    let report = Report { writes, rate_per_second, never_seen, searches, write, lag: lag.figures() };
    if args.json {
        println!("{}", crate::json(&report)?);
    } else {
        println!("{writes} writes at {rate_per_second:.1}/s, {searches} searches beside them, {never_seen} never seen");
        println!("  write                {}", report.write);
        println!("  write to searchable  {}", report.lag);
    }
    if never_seen > 0 {
        return Err(BenchError::Failed(format!("{never_seen} writes were not seen within {} s", PATIENCE.as_secs())));
    }
    Ok(())
}

/// The products to rename, all of them searchable.
async fn products(shop: &Shop, words: Words, count: u64) -> Result<Vec<(String, Written)>, BenchError> {
    let mut progress = Progress::begin("preparing", count);
    let mut products = Vec::new();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..count {
        let (shop, sku) = (shop.clone(), format!("lag-{}", words.word(u64::MAX - number)));
        tasks.spawn(async move {
            let written = shop.create(&sku, &format!("Bench {sku}")).await?;
            Ok::<_, BenchError>((sku, written))
        });
        // A few at once, and all of them after the last.
        while tasks.len() >= 8 || (number + 1 == count && !tasks.is_empty()) {
            let Some(created) = tasks.join_next().await else { break };
            products.push(created.map_err(|error| BenchError::Broken(error.to_string()))??);
            progress.at(products.len() as u64, count, products.len() as u64, "products");
        }
    }
    for (_, written) in &products {
        shop.search("bench", 1, Some(&written.token)).await?;
    }
    progress.end();
    Ok(products)
}

/// A product that one write at a time may have.
type Slot = Arc<tokio::sync::Mutex<(String, Written)>>;

/// Renames products at the rate; the latencies count from the moment each write was due.
async fn write(
    shop: &Shop,
    words: Words,
    args: &Args,
    pool: Vec<(String, Written)>,
    seen: mpsc::UnboundedSender<Pending>,
) -> Result<Figures, BenchError> {
    let slots: Vec<Slot> = pool.into_iter().map(|product| Arc::new(tokio::sync::Mutex::new(product))).collect();
    let latencies = Arc::new(Mutex::new(Latencies::new()?));
    let mut clock = tokio::time::interval(Duration::from_nanos(1_000_000_000 / args.rate));
    clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut tasks = tokio::task::JoinSet::new();
    let mut progress = Progress::begin("writing", args.rate * args.seconds);
    for (number, slot) in (0..args.rate * args.seconds).zip(slots.iter().cycle()) {
        let due = Instant::from(clock.tick().await);
        let (shop, slot, seen, latencies) = (shop.clone(), Arc::clone(slot), seen.clone(), Arc::clone(&latencies));
        tasks.spawn(async move {
            let title = format!("Bench {} {}", bucket_word(words, number), words.word(number));
            let mut slot = slot.lock().await;
            slot.1 = shop.retitle(&slot.1, &slot.0, &title).await?;
            let answered = Instant::now();
            latencies.lock().unwrap_or_else(PoisonError::into_inner).add(answered - due);
            // The observer only goes when it failed, and then says why itself.
            let _ = seen.send(Pending { number, title, answered });
            Ok::<_, BenchError>(())
        });
        progress.at(number + 1, args.rate * args.seconds, number + 1, "writes");
        while let Some(ended) = tasks.try_join_next() {
            ended.map_err(|error| BenchError::Broken(error.to_string()))??;
        }
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| BenchError::Broken(error.to_string()))??;
    }
    progress.end();
    let latencies = latencies.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(latencies.figures())
}

fn bucket_word(words: Words, number: u64) -> String {
    words.word((1 << 60) + number / BUCKET)
}

struct Seen {
    lag: Latencies,
    never_seen: u64,
    searches: u64,
}

/// Searches for what was answered and not yet seen, until everything is seen or it has been too long.
async fn observe(shop: Shop, words: Words, mut answered: mpsc::UnboundedReceiver<Pending>) -> Result<Seen, BenchError> {
    let mut pending: BTreeMap<u64, HashMap<String, Instant>> = BTreeMap::new();
    let mut seen = Seen { lag: Latencies::new()?, never_seen: 0, searches: 0 };
    let mut ended: Option<Instant> = None;
    loop {
        while let Ok(write) = answered.try_recv() {
            pending.entry(write.number / BUCKET).or_default().insert(write.title, write.answered);
        }
        if pending.is_empty() && ended.is_none() {
            match answered.recv().await {
                Some(write) => {
                    pending.entry(write.number / BUCKET).or_default().insert(write.title, write.answered);
                }
                None => ended = Some(Instant::now()),
            }
        }
        if answered.is_closed() && answered.is_empty() {
            ended.get_or_insert_with(Instant::now);
        }
        if ended.is_some_and(|ended| pending.is_empty() || ended.elapsed() > PATIENCE) {
            seen.never_seen = pending.values().map(|bucket| bucket.len() as u64).sum();
            return Ok(seen);
        }
        for (bucket, writes) in &mut pending {
            let found = shop.search(&bucket_word(words, bucket * BUCKET), 100, None).await?;
            let now = Instant::now();
            seen.searches += 1;
            for hit in found.hits {
                if let Some(answered) = writes.remove(&hit.title) {
                    seen.lag.add(now.saturating_duration_since(answered));
                }
            }
        }
        pending.retain(|_, writes| !writes.is_empty());
        // A breath between two rounds: the observer must not be the load.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown rounded")]
fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64().max(0.001)
}
