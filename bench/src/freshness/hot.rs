//! Hot pages, listings and the tree, read with tokens while what they show is changed: does an answer that says it is
//! fresh show the write, although it has just been cached?

use crate::{
    BenchError,
    figures::{Figures, Latencies},
    freshness::Args,
    shop::{Answer, Shop},
    words::Words,
};
use launcher::import::Progress;
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

const PRODUCTS: usize = 12;
const CATEGORIES: usize = 4;
/// What a price is at revision 0, in cents.
const PRICE: u64 = 1_000;

/// What came of the reads.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) reads: u64,
    pub(super) stale: u64,
    pub(super) wrong: u64,
    writes: u64,
    seconds: f64,
    read_with_token: Figures,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reads, stale, wrong, writes, seconds, read_with_token } = self;
        writeln!(
            f,
            "{reads} reads of hot pages, listings and the tree in {seconds:.1} s, {writes} writes beside them: {stale} stale, {wrong} wrong"
        )?;
        write!(f, "  read with token     {read_with_token}")
    }
}

/// What is written again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Product,
    Price,
    Category,
}

/// The last write of one thing that was answered.
#[derive(Debug, Clone, Default)]
struct Written {
    revision: u64,
    token: String,
}

/// One thing that is written, and read where it is shown.
#[derive(Debug)]
struct Item {
    kind: Kind,
    number: usize,
    written: Mutex<Written>,
}

/// The things of one run.
#[derive(Debug)]
struct Hot {
    shop: Shop,
    word: String,
    items: Vec<Item>,
    reads: u64,
    taken: AtomicU64,
    writes: AtomicU64,
    done: AtomicBool,
}

/// Measures.
///
/// # Errors
/// [`BenchError`] if a service fails.
pub(super) async fn run(args: &Args, shop: &Shop) -> Result<Report, BenchError> {
    let hot = Arc::new(Hot::new(shop, Words::new().word(u64::MAX), args.reads));
    hot.prepare().await?;
    let (began, concurrency) = (Instant::now(), args.concurrency);
    let (mut readers, mut beside) = (JoinSet::new(), JoinSet::new());
    for place in 0..concurrency {
        let (reader, warmer, writer) = (Arc::clone(&hot), Arc::clone(&hot), Arc::clone(&hot));
        readers.spawn(async move { reader.read().await });
        beside.spawn(async move { warmer.warm(place).await });
        beside.spawn(async move { writer.write(place, concurrency).await });
    }
    let mut progress = Progress::begin("reading", args.reads);
    let (mut all, mut tick) = (Tally::new()?, tokio::time::interval(Duration::from_millis(250)));
    let broken = |error: tokio::task::JoinError| BenchError::Broken(error.to_string());
    loop {
        tokio::select! {
            read = readers.join_next() => match read {
                Some(tally) => all.merge(&tally.map_err(broken)??)?,
                None => break,
            },
            Some(ended) = beside.join_next() => ended.map_err(broken)??,
            _ = tick.tick() => {
                let done = hot.taken.load(Ordering::Relaxed).min(args.reads);
                progress.at(done, args.reads, done, "reads");
            }
        }
    }
    hot.done.store(true, Ordering::Relaxed);
    while let Some(ended) = beside.join_next().await {
        ended.map_err(broken)??;
    }
    progress.end();
    Ok(Report {
        reads: args.reads,
        stale: all.stale,
        wrong: all.wrong,
        writes: hot.writes.load(Ordering::Relaxed),
        seconds: began.elapsed().as_secs_f64(),
        read_with_token: all.read.figures(),
    })
}

struct Tally {
    stale: u64,
    wrong: u64,
    read: Latencies,
}

impl Tally {
    fn new() -> Result<Self, BenchError> {
        Ok(Self { stale: 0, wrong: 0, read: Latencies::new()? })
    }

    fn merge(&mut self, other: &Self) -> Result<(), BenchError> {
        self.stale += other.stale;
        self.wrong += other.wrong;
        self.read.merge(&other.read)
    }
}

impl Hot {
    fn new(shop: &Shop, word: String, reads: u64) -> Self {
        let item = |kind| move |number| Item { kind, number, written: Mutex::default() };
        // Categories first, then products: each is there before what needs it.
        let items = (0..CATEGORIES)
            .map(item(Kind::Category))
            .chain((0..PRODUCTS).map(item(Kind::Product)))
            .chain((0..PRODUCTS).map(item(Kind::Price)))
            .collect();
        let (taken, writes, done) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
        Self { shop: shop.clone(), word, items, reads, taken, writes, done }
    }

    /// Writes everything once, and waits until it is shown.
    async fn prepare(&self) -> Result<(), BenchError> {
        for item in &self.items {
            self.write_next(item).await?;
        }
        for item in &self.items {
            for path in self.shown_at(item) {
                self.shop.read(&path, Some(&item.last().token)).await?;
            }
        }
        Ok(())
    }

    /// Writes those of the items that are this writer's, over and over.
    async fn write(&self, place: u64, writers: u64) -> Result<(), BenchError> {
        let own = self.items.iter().zip(0..).filter(|(_, number)| number % writers == place);
        for (item, _) in own.cycle() {
            if self.done.load(Ordering::Relaxed) {
                break;
            }
            self.write_next(item).await?;
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn write_next(&self, item: &Item) -> Result<(), BenchError> {
        let (revision, number, word) = (item.last().revision + 1, item.number, &self.word);
        let sku = format!("hot-{word}-{number}");
        let shelf = |number: usize| format!("shelf-{word}-{}", number % CATEGORIES);
        let (what, line) = match item.kind {
            Kind::Category => {
                let id = shelf(number);
                ("categories", json!({"external_id": id, "slug": id, "name": format!("Shelf r{revision}")}))
            }
            Kind::Product => (
                "products",
                json!({"external_id": sku, "slug": sku, "title": format!("Hot thing r{revision}"),
                    "categories": [shelf(number)], "variants": [{ "sku": sku }], "publish": true}),
            ),
            Kind::Price => {
                let entry = json!({"currency": "USD", "list_amount": PRICE + revision});
                ("prices", json!({"sku": sku, "entries": [entry]}))
            }
        };
        let token = self.shop.bulk(what, format!("{line}\n")).await?;
        *item.written.lock().unwrap_or_else(PoisonError::into_inner) = Written { revision, token };
        Ok(())
    }

    /// Reads without a token what is read with one, so that it has just been cached.
    async fn warm(&self, place: u64) -> Result<(), BenchError> {
        for (item, number) in self.items.iter().zip(0..).cycle().skip(usize::try_from(place).unwrap_or_default()) {
            if self.done.load(Ordering::Relaxed) {
                break;
            }
            let paths = self.shown_at(item);
            self.shop.read(&paths[number % paths.len()], None).await?;
        }
        Ok(())
    }

    /// Reads with tokens, and looks whether each answer has what was written.
    async fn read(&self) -> Result<Tally, BenchError> {
        let mut tally = Tally::new()?;
        loop {
            let number = self.taken.fetch_add(1, Ordering::Relaxed);
            if number >= self.reads {
                return Ok(tally);
            }
            let place = usize::try_from(number).unwrap_or_default();
            let item = &self.items[place % self.items.len()];
            let (paths, written) = (self.shown_at(item), item.last());
            let path = &paths[place / self.items.len() % paths.len()];
            let began = Instant::now();
            let answer = self.shop.read(path, Some(&written.token)).await?;
            tally.read.add(began.elapsed());
            let shown = self.shown(item, &answer);
            if !answer.fresh {
                tally.stale += 1;
            } else if shown.is_none_or(|shown| shown < written.revision) {
                tally.wrong += 1;
                eprintln!("wrong: {path} shows {shown:?} of {:?} {}, not {}", item.kind, item.number, written.revision);
            }
        }
    }

    /// Where an item is shown.
    fn shown_at(&self, item: &Item) -> Vec<String> {
        let (number, word) = (item.number, &self.word);
        match item.kind {
            Kind::Category => vec!["categories".to_owned()],
            Kind::Product | Kind::Price => vec![
                format!("products/by-slug/hot-{word}-{number}"),
                format!("categories/shelf-{word}-{}/products?limit=100", number % CATEGORIES),
            ],
        }
    }

    /// The revision of an item that an answer shows.
    fn shown(&self, item: &Item, answer: &Answer) -> Option<u64> {
        let body = &answer.body;
        let named = |list: &str, name: String| {
            body[list].as_array().and_then(|all| all.iter().find(|one| one["slug"] == name.as_str()))
        };
        let revision = |text: &Value| text.as_str()?.rsplit_once('r')?.1.parse::<u64>().ok();
        let product = || match body.get("products") {
            Some(_) => named("products", format!("hot-{}-{}", self.word, item.number)),
            None => Some(body),
        };
        match item.kind {
            Kind::Category => revision(&named("categories", format!("shelf-{}-{}", self.word, item.number))?["name"]),
            Kind::Product => revision(&product()?["title"]),
            Kind::Price => product()?["prices"]["USD"]["min"].as_u64()?.checked_sub(PRICE),
        }
    }
}

impl Item {
    fn last(&self) -> Written {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
