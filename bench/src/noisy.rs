//! One shop sends the worst that is allowed while another is measured: what does the other notice?

mod backlog;
mod loads;
mod neighbour;
mod quiet;
mod report;

pub use loads::Load;
pub use report::Report;

use crate::{BenchError, profile::ProfileArgs, shop::ShopArgs};
use backlog::Backlog;
use clap::ValueEnum;
use neighbour::Neighbour;
use quiet::Quiet;
use report::Beside;
use std::{
    sync::PoisonError,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Load before the quiet figures are taken, in seconds: what is learnt and compiled once is no quiet day.
const WARMING: u64 = 3;
/// From the beginning of the measurement until prices begin.
const BEFORE: Duration = Duration::from_secs(1);

const EXAMPLES: &str = "Examples:
  souk bench noisy --strict
  souk bench noisy --only tree --only import --seconds 60 --json
  souk bench noisy --at-once --products 2000 --due 5000

The measured shop writes small products and searches at fixed rates, whether or not earlier requests were answered
(open loop). Each write is searched for with its token until it is found; one write in ten is a bulk write of one line.
All latencies count from the moment a request was due. A request that is answered with anything but 2xx has failed.

A shop of its own, opened for the run, sends the loads: each by itself, and then all at once. Before each, what it
needs is written, and nothing waits any more. What that shop is refused is counted and is no failure. Beside each load
stands the furthest that projections were behind.

The quiet figures are taken first. It says at the end whether p99 stayed within 3 times the quiet figure, and nothing
failed; with --strict the exit code says it, too. souk must be built with the release profile for figures:
./souk down, then SOUK_PROFILE=release ./souk up.";

/// Measure one shop while another sends the worst that is allowed
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only this load; may be given several times
    #[arg(long, value_enum, value_name = "NAME")]
    pub only: Vec<Load>,
    /// All loads at once only, not each by itself
    #[arg(long)]
    pub at_once: bool,
    /// Seconds to measure, quiet and beside each load
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
    /// Writes per second of the measured shop
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub writes: u64,
    /// One in this many of its writes is a bulk write; none if 0
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub bulk_every: u64,
    /// Searches per second of the measured shop, besides those for its writes
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub queries: u64,
    /// `largest`: products at most, of 1 MiB each; they take several times that on the disk
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub large: u64,
    /// `tree`: products below the root category
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub products: u64,
    /// `prices`: prices that are due at once
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub due: u64,
    /// `attributes`: names that nobody used before, 500 to a product
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub attributes: u64,
    /// `import`: products to import
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    pub import: u64,
    /// Exit with 1 if p99 did not stay within 3 times the quiet figure, or something failed
    #[arg(long)]
    pub strict: bool,
    /// Where; the loads come from another shop
    #[command(flatten)]
    pub shop: ShopArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

impl Args {
    fn loads(&self) -> Vec<Load> {
        if self.only.is_empty() { Load::value_variants().to_vec() } else { self.only.clone() }
    }

    /// What is sent at the same time, one after the other.
    fn rounds(&self) -> Vec<Vec<Load>> {
        let loads = self.loads();
        let each = loads.iter().filter(|_| !self.at_once).map(|load| vec![*load]);
        let together = (self.at_once || loads.len() > 1).then(|| loads.clone());
        each.chain(together).collect()
    }
}

/// Measures and prints.
///
/// # Errors
/// [`BenchError`] if a service fails where it must not, or with `--strict` if the measured shop noticed too much.
pub async fn run(args: Args) -> Result<(), BenchError> {
    let report = measure(&args).await?;
    if args.json {
        println!("{}", crate::json(&report)?);
    } else {
        print!("{report}");
    }
    let missed = report.missed();
    if args.strict && !missed.is_empty() {
        return Err(BenchError::Failed(missed.join("; ")));
    }
    Ok(())
}

/// Measures.
///
/// # Errors
/// [`BenchError`] if a service fails before or between the loads.
pub async fn measure(args: &Args) -> Result<Report, BenchError> {
    let bench = Bench::open(args).await?;
    bench.quiet.measure(WARMING).await?;
    bench.backlog.until_calm().await?;
    told("quiet");
    let quiet = bench.quiet.measure(args.seconds).await?;
    let mut report = Report::new(args, bench.profile.clone(), quiet);
    for loads in args.rounds() {
        report.add(bench.beside(&loads).await?);
    }
    Ok(report)
}

/// What is going on, for who waits.
fn told(what: &str) {
    eprintln!("measuring: {what}");
}

struct Bench<'a> {
    args: &'a Args,
    quiet: Quiet,
    neighbour: Neighbour,
    backlog: Backlog,
    profile: String,
}

impl<'a> Bench<'a> {
    async fn open(args: &'a Args) -> Result<Self, BenchError> {
        let http = crate::peers::client()?;
        let profile =
            ProfileArgs { any_profile: true }.running(&http, args.shop.query_url.trim_end_matches('/')).await?;
        let (quiet, neighbour) = (Quiet::open(args).await?, Neighbour::open(args).await?);
        Ok(Self { args, quiet, neighbour, backlog: Backlog::open(args).await?, profile })
    }

    /// Measures the quiet shop beside loads.
    async fn beside(&self, loads: &[Load]) -> Result<Beside, BenchError> {
        let name = if let [only] = loads { only.name() } else { "all at once" };
        let mut begins = None;
        for load in loads {
            begins = begins.max(load.prepare(&self.neighbour, self.args).await?);
        }
        let was_calm = self.backlog.until_calm().await?.is_some();
        if let Some(begins) = begins {
            if begins < Instant::now() {
                eprintln!("the prices were due before everything was calm");
            }
            tokio::time::sleep_until((begins - BEFORE).into()).await;
        }
        told(name);
        let (furthest, watch) = self.backlog.watch();
        let (mut tasks, neighbour) = (JoinSet::new(), self.neighbour.counted_anew());
        for load in loads {
            load.start(&neighbour, self.args, &mut tasks);
        }
        let time = Duration::from_secs(self.args.seconds);
        // Writes are searched for until they are found; the loads end in time.
        let (measured, ()) = tokio::join!(self.quiet.measure(self.args.seconds), async {
            tokio::time::sleep(time).await;
            tasks.shutdown().await;
        });
        let measured = measured?;
        watch.abort();
        let behind = furthest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let calm = self.backlog.until_calm().await?;
        Ok(Beside::new(name, measured, neighbour.tally.sent(), behind, was_calm, calm))
    }
}
