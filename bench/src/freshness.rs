//! Writes and then reads with the token of the write: does the answer show what was written?

mod hot;

use crate::{
    BenchError,
    figures::{Figures, Latencies},
    shop::{Shop, ShopArgs, Written},
    words::Words,
};
use launcher::import::Progress;
use serde::Serialize;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

const EXAMPLES: &str = "Examples:
  souk bench freshness
  souk bench freshness --pairs 0 --reads 20000
  souk bench freshness --pairs 2000 --reads 0 --concurrency 8 --json

A pair is a write and a search with its token. The writes create, rename and archive products; the search
is for a word that the write brought in and has to find the product, or for one that it took away and must
not find it. The reads after them are of a dozen product pages, their listings and the category tree, each
with the token of the last write of what it shows, while writers rename products and categories and set
prices without a pause, and others read the same without a token, so that everything has just been cached.
An answer is stale when it says so, and wrong when it says that it is fresh but is not. The exit code is 0
only if there is neither.";

/// Write, read with the write's consistency token, and count answers that lack the write
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Number of pairs of a write and a search
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub pairs: u64,
    /// Number of reads of hot pages, listings and the tree
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub reads: u64,
    /// Pairs, and readers and writers, at the same time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=256))]
    pub concurrency: u64,
    /// Where
    #[command(flatten)]
    pub shop: ShopArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    pairs: Pairs,
    hot: Option<hot::Report>,
}

/// What came of the pairs.
#[derive(Debug, Serialize)]
struct Pairs {
    pairs: u64,
    stale: u64,
    wrong: u64,
    seconds: f64,
    write: Figures,
    search_with_token: Figures,
    write_and_search: Figures,
}

/// Measures and prints.
///
/// # Errors
/// [`BenchError`] if a service fails, or if any answer was stale or wrong.
pub async fn run(args: Args) -> Result<(), BenchError> {
    let shop = Shop::open(&args.shop).await?;
    let pairs = pairs(&args, &shop).await?;
    let hot = if args.reads > 0 { Some(hot::run(&args, &shop).await?) } else { None };
    let report = Report { pairs, hot };
    print(&report, args.json)?;
    let hot = report.hot.as_ref();
    let stale = report.pairs.stale + hot.map_or(0, |hot| hot.stale);
    let wrong = report.pairs.wrong + hot.map_or(0, |hot| hot.wrong);
    match (stale, wrong) {
        (0, 0) => Ok(()),
        (stale, wrong) => Err(BenchError::Failed(format!("{stale} answers were stale and {wrong} wrong"))),
    }
}

async fn pairs(args: &Args, shop: &Shop) -> Result<Pairs, BenchError> {
    let (began, taken, words) = (Instant::now(), Arc::new(AtomicU64::new(0)), Words::new());
    let mut workers = JoinSet::new();
    for _ in 0..args.concurrency {
        let (shop, taken, pairs) = (shop.clone(), Arc::clone(&taken), args.pairs);
        workers.spawn(async move { work(&shop, words, &taken, pairs).await });
    }
    let mut progress = Progress::begin("measuring", args.pairs);
    let mut all = Tally::new()?;
    let mut tick = tokio::time::interval(Duration::from_millis(250));
    loop {
        tokio::select! {
            done = workers.join_next() => match done {
                Some(tally) => all.merge(&tally.map_err(|error| BenchError::Broken(error.to_string()))??)?,
                None => break,
            },
            _ = tick.tick() => {
                let done = taken.load(Ordering::Relaxed).min(args.pairs);
                progress.at(done, args.pairs, done, "pairs");
            }
        }
    }
    progress.end();
    Ok(Pairs {
        pairs: args.pairs,
        stale: all.stale,
        wrong: all.wrong,
        seconds: began.elapsed().as_secs_f64(),
        write: all.write.figures(),
        search_with_token: all.search.figures(),
        write_and_search: all.both.figures(),
    })
}

fn print(report: &Report, json: bool) -> Result<(), BenchError> {
    if json {
        println!("{}", crate::json(report)?);
        return Ok(());
    }
    let Pairs { pairs, stale, wrong, seconds, write, search_with_token, write_and_search } = &report.pairs;
    if *pairs > 0 {
        println!("{pairs} write-then-search pairs in {seconds:.1} s: {stale} stale, {wrong} wrong");
        println!("  write               {write}");
        println!("  search with token   {search_with_token}");
        println!("  both                {write_and_search}");
    }
    if let Some(hot) = &report.hot {
        println!("{hot}");
    }
    Ok(())
}

struct Tally {
    stale: u64,
    wrong: u64,
    write: Latencies,
    search: Latencies,
    both: Latencies,
}

impl Tally {
    fn new() -> Result<Self, BenchError> {
        Ok(Self { stale: 0, wrong: 0, write: Latencies::new()?, search: Latencies::new()?, both: Latencies::new()? })
    }

    fn merge(&mut self, other: &Self) -> Result<(), BenchError> {
        self.stale += other.stale;
        self.wrong += other.wrong;
        self.write.merge(&other.write)?;
        self.search.merge(&other.search)?;
        self.both.merge(&other.both)
    }
}

/// What a search after a write has to show.
struct Expected {
    word: String,
    present: bool,
}

/// The life of a worker's product: created, renamed a few times, archived, and another one.
const RENAMES: u64 = 8;

async fn work(shop: &Shop, words: Words, taken: &AtomicU64, pairs: u64) -> Result<Tally, BenchError> {
    let mut tally = Tally::new()?;
    let mut product: Option<(Written, String, String)> = None;
    let mut age = 0;
    loop {
        let number = taken.fetch_add(1, Ordering::Relaxed);
        if number >= pairs {
            return Ok(tally);
        }
        let word = words.word(number);
        let began = Instant::now();
        let (written, expected) = match product.take() {
            None => {
                let sku = format!("bench-{word}");
                let written = shop.create(&sku, &title(&word)).await?;
                (product, age) = (Some((written.clone(), sku, word.clone())), 0);
                (written, Expected { word, present: true })
            }
            Some((before, sku, old)) if age < RENAMES => {
                let written = shop.retitle(&before, &sku, &title(&word)).await?;
                product = Some((written.clone(), sku, word.clone()));
                age += 1;
                // Sometimes the old word is asked for: what was taken away has to be gone.
                let expected = if age % 3 == 0 { (old, false) } else { (word, true) };
                (written, Expected { word: expected.0, present: expected.1 })
            }
            Some((before, _, old)) => (shop.archive(&before).await?, Expected { word: old, present: false }),
        };
        let answered = Instant::now();
        let found = shop.search(&expected.word, 10, Some(&written.token)).await?;
        tally.write.add(answered - began);
        tally.search.add(answered.elapsed());
        tally.both.add(began.elapsed());
        if !found.fresh {
            tally.stale += 1;
        } else if found.hits.iter().any(|hit| hit.id == written.id) != expected.present {
            tally.wrong += 1;
            eprintln!(
                "wrong: `{}` of {} should be {}",
                expected.word,
                written.id,
                if expected.present { "found" } else { "gone" }
            );
        }
    }
}

fn title(word: &str) -> String {
    format!("Bench {word}")
}
