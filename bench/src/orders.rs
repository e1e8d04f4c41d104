//! Shoppers who buy, beside faults if that is asked for, and whether everything that has to hold does in the end.

mod cards;
mod http;
mod report;
mod shelf;
mod shopper;

use crate::{BenchError, figures::Latencies};
use cards::Cards;
use futures::future::join_all;
pub(crate) use http::{Http, Side};
use launcher::{
    invariants,
    settings::Settings,
    stack::{Service, Stack},
};
use report::{Outcomes, Report};
pub(crate) use shelf::Shelf;
use shopper::Shopper;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

const EXAMPLES: &str = "Examples:
  souk demo-orders --n 1000 --clients 32
  souk demo-orders --n 300 --clients 16 --faults
  souk demo-orders --n 200 --seed 7 --json

It needs the stack that `souk up` starts. A shop of its own gets products, some of them scarce, codes and ways to pay. Each
shopper searches, looks at a product, fills a cart as a guest, may use a code, agrees on the price, and orders; some send the order
twice, some pay late or never, some give up. The same --seed makes the same choices.

Cards are paid at a stand-in for Stripe, to which write-api is started anew. Some cards are declined, some pay after the order was given
up. Webhooks come twice and in another order. Without cards: --no-cards.

--faults kills a process of the stack with SIGKILL every two seconds, and its broker twice; one in ten changes that the provider is asked
for is done and answered with a failure. Shoppers come again with the same key.

At the end it prints what became of all, rates, and the report of `souk invariants`. The exit code is 0 only if every number
there is 0. See docs/guides/invariants.md";

/// From one kill to the next.
const EVERY: Duration = Duration::from_secs(2);
/// How long everything may take to hold after the last order.
const SETTLES_WITHIN: Duration = Duration::from_secs(60);
/// How often progress is told.
const PROGRESS: Duration = Duration::from_secs(5);

/// Have seeded shoppers order, and check what has to hold
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// How many shoppers come
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub n: u32,
    /// How many of them shop at the same time
    #[arg(long, value_name = "C", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub clients: u32,
    /// What the shoppers' choices follow from
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Kill processes meanwhile
    #[arg(long)]
    pub faults: bool,
    /// Nobody pays by card
    #[arg(long)]
    pub no_cards: bool,
    /// Slug of the shop that they buy at; created if it does not exist
    #[arg(long, default_value = "demo-orders")]
    pub tenant: String,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Where the stack is.
    #[command(flatten)]
    pub settings: Settings,
}

/// Has them come, and prints what became of it.
///
/// # Errors
/// [`BenchError`] if the stack does not answer, or if something does not hold in the end.
pub async fn run(args: Args) -> Result<(), BenchError> {
    let own = std::env::current_exe()?;
    let programs = own.parent().unwrap_or(Path::new(".")).to_owned();
    let mut stack = Stack::new(args.settings.clone(), programs)?;
    let urls = [stack.url(Service::WriteApi), stack.url(Service::QueryApi)];
    let staff = Http::new(urls, &args.tenant, &stack.admin_key()?)?;
    let usual = stack.settings.stripe_url.clone();
    let cards = if args.no_cards { None } else { Some(Arc::new(Cards::open(&mut stack, args.faults).await?)) };
    let outcome = shopping(&args, &stack, &staff, cards.as_ref()).await;
    if cards.is_some() {
        stack.settings.stripe_url = usual;
        cards::start_anew(&stack).await?;
    }
    let report = outcome?;
    if args.json {
        println!("{}", crate::json(&report)?);
    } else {
        println!("{report}");
    }
    if report.invariants.holds() { Ok(()) } else { Err(BenchError::Failed("something does not hold".to_owned())) }
}

/// All of them come, and what has to hold is checked.
async fn shopping(args: &Args, stack: &Stack, staff: &Http, cards: Option<&Arc<Cards>>) -> Result<Report, BenchError> {
    let shelf = Arc::new(Shelf::fill(staff, args.n).await?);
    let hook = match cards {
        Some(cards) => Some(cards.agree(staff).await?),
        None => None,
    };
    let (next, done) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let began = Instant::now();
    let clients = (0..args.clients).map(|_| {
        let (staff, shelf, next, cards) = (staff.clone(), Arc::clone(&shelf), Arc::clone(&next), cards.cloned());
        let (n, seed) = (args.n, args.seed);
        tokio::spawn(async move {
            let (mut outcomes, mut times) = (Outcomes::default(), Latencies::new()?);
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= n {
                    return Ok::<_, BenchError>((outcomes, times));
                }
                Shopper::new(&staff, &shelf, cards.as_deref(), seed, number).comes(&mut outcomes, &mut times).await?;
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    let told = tokio::spawn(progress(Arc::clone(&next), args.n, Arc::clone(&done)));
    let sending =
        |(cards, hook): (&Arc<Cards>, _)| tokio::spawn(Arc::clone(cards).send(hook, args.seed, Arc::clone(&done)));
    let webhooks = cards.zip(hook).map(sending);
    let faults = async { if args.faults { hurt(stack, args.seed, &done).await } else { Ok(Faults::default()) } };
    let coming = async {
        let outcomes = join_all(clients).await;
        done.store(true, Ordering::Relaxed);
        outcomes
    };
    let (outcomes, faults) = tokio::join!(coming, faults);
    let time = began.elapsed();
    // It ends by itself.
    let _ = told.await;
    let (mut all, mut times) = (Outcomes::default(), Latencies::new()?);
    for outcome in outcomes {
        let (outcomes, of_one) = outcome.map_err(|error| BenchError::Broken(error.to_string()))??;
        all.add(&outcomes);
        times.merge(&of_one)?;
    }
    if let Some(webhooks) = webhooks {
        webhooks.await.map_err(|error| BenchError::Broken(error.to_string()))?;
    }
    let settling = Instant::now();
    let held = invariants::settled(&stack.settings, SETTLES_WITHIN).await?;
    Ok(Report {
        shoppers: args.n,
        clients: args.clients,
        seed: args.seed,
        seconds: time.as_secs_f64(),
        outcomes: all,
        checkout: times.figures(),
        faults: faults?,
        settled_after_seconds: settling.elapsed().as_secs_f64(),
        invariants: held,
    })
}

async fn progress(next: Arc<AtomicU32>, n: u32, done: Arc<AtomicBool>) {
    while !done.load(Ordering::Relaxed) {
        tokio::time::sleep(PROGRESS).await;
        eprintln!("  {} of {n} shoppers have come", next.load(Ordering::Relaxed).min(n));
    }
}

/// What was killed.
#[derive(Debug, Default, serde::Serialize)]
pub(crate) struct Faults {
    /// Processes that were killed, the broker aside.
    pub(crate) kills: u32,
    /// How often the broker was.
    pub(crate) broker: u32,
}

/// Kills a process every two seconds until all shoppers have come, and starts it again.
async fn hurt(stack: &Stack, seed: u64, done: &AtomicBool) -> Result<Faults, BenchError> {
    let victims = [Service::WriteApi, Service::Projector, Service::QueryApi];
    let mut draw = shopper::draw(seed, u32::MAX);
    let mut faults = Faults::default();
    while !done.load(Ordering::Relaxed) {
        tokio::time::sleep(EVERY).await;
        let turn = faults.kills + faults.broker;
        let victim = if faults.broker < 2 && turn % 4 == 3 && stack.settings.starts_broker() {
            faults.broker += 1;
            Service::Broker
        } else {
            faults.kills += 1;
            victims[draw.below(victims.len())]
        };
        eprintln!("  kill -9 {}", victim.name());
        stack.kill(victim)?;
        stack.start(victim)?;
        stack.wait_ready(victim).await?;
    }
    Ok(faults)
}
