//! A reindex under load: while shoppers search and staff write, a changed bundle is built, verified, promoted and
//! taken back many times.

use crate::{
    BenchError,
    figures::Figures,
    shop::{Shop, ShopArgs},
};
use load::Load;
use reindex::{CommandContext, build, generations, plan, promote, rollback, verify, watch::Limits};
use search::bundle::Bundle;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

pub(crate) mod catalog;
mod load;
mod witness;

const EXAMPLES: &str = "Examples:
  souk-bench reindex --read-database-url postgres://souk@127.0.0.1:54320/souk_read --index-dir .souk/index
  souk-bench reindex … --products 20000 --rounds 3 --least-queries 5000

Queries and writes are made at fixed rates, whether or not earlier ones were answered (open loop); latencies count from
the moment each was due. One query in ten asks for a product that is being renamed, and knows which of its names has
been seen: an older one afterwards is counted. The first ten seconds, in which the shop's catalog is learnt, are told
apart: they are no quiet day. At the end the promoted generation is compared, document by document and
term by term, with one that is built anew from the topic.";

/// Load before the figures of a quiet day begin.
const WARMING: Duration = Duration::from_secs(10);

/// Measure a reindex under load: failures, latency, rollbacks, and whether older states were seen
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Number of products in the shop; missing ones are created
    #[arg(long, default_value_t = 100_000)]
    pub products: u64,
    /// Writes per second
    #[arg(long, default_value_t = 50)]
    pub writes: u64,
    /// Queries per second
    #[arg(long, default_value_t = 100)]
    pub queries: u64,
    /// Number of promotions; each is followed by a rollback
    #[arg(long, default_value_t = 10)]
    pub rounds: u32,
    /// Seconds of load, after warming up, that give the quiet figures before anything is built
    #[arg(long, default_value_t = 60)]
    pub quiet_seconds: u64,
    /// Least number of queries
    #[arg(long, default_value_t = 50_000)]
    pub least_queries: u64,
    /// Most documents a second for the build
    #[arg(long)]
    pub build_rate: Option<i32>,
    /// Print each step, and each query that took longer than this many milliseconds, to standard error
    #[arg(long, value_name = "MS")]
    pub tell_slower: Option<u64>,
    /// Where
    #[command(flatten)]
    pub shop: ShopArgs,
    /// URL of the read database
    #[arg(
        long,
        env = "SOUK_READ_DATABASE_URL",
        hide_env_values = true,
        default_value = "postgres://souk@127.0.0.1:54320/souk_read"
    )]
    pub read_database_url: String,
    /// Folder of the index generations
    #[arg(long, env = "SOUK_INDEX_DIR", default_value = ".souk/index")]
    pub index_dir: std::path::PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// What was measured.
#[derive(Debug, Clone, Serialize)]
struct Report {
    products: u64,
    build_seconds: f64,
    verify_seconds: f64,
    promotions: Vec<f64>,
    rollbacks: Vec<f64>,
    queries: u64,
    failed_queries: u64,
    older_seen: u64,
    /// Caches and lessons of a shop that was filled a moment ago; not judged, and not what others are judged by.
    warming: Figures,
    quiet: Figures,
    building: Figures,
    verifying: Figures,
    /// Both together: what is judged, since a verification of seconds sees too few queries for a p99 of its own.
    preparing: Figures,
    switching: Figures,
    /// What the machine's host gave to others, in percent of the processors' time by phase; nothing off Linux.
    stolen: BTreeMap<&'static str, f64>,
    /// The figures without the queries that were on their way while the host held a processor, and how many are left
    /// out. Shown, not judged.
    undisturbed: BTreeMap<&'static str, (Figures, u64)>,
    writes: u64,
    failed_writes: u64,
    write: Figures,
    equal_to_a_rebuild: bool,
    rebuild_documents: u64,
}

impl Report {
    /// What is not as it has to be.
    fn missed(&self, args: &Args) -> Vec<String> {
        let worst = self.preparing.p99_ms.max(self.switching.p99_ms);
        let slowest = self.rollbacks.iter().copied().fold(0.0, f64::max);
        let checks = [
            (self.failed_queries == 0, format!("{} queries failed", self.failed_queries)),
            (
                self.queries >= args.least_queries,
                format!("{} queries, {} are wanted", self.queries, args.least_queries),
            ),
            (self.older_seen == 0, format!("an older state was seen {} times", self.older_seen)),
            (self.failed_writes == 0, format!("{} writes failed", self.failed_writes)),
            (
                worst <= self.quiet.p99_ms * 1.5,
                format!("p99 is {worst:.1} ms, more than 1.5 times the {:.1} ms of before", self.quiet.p99_ms),
            ),
            (slowest <= 2.0, format!("a rollback took {slowest:.2} s")),
            (self.equal_to_a_rebuild, "the generation differs from a rebuild".to_owned()),
        ];
        checks.into_iter().filter(|(holds, _)| !holds).map(|(_, what)| what).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |all: &[f64]| {
            let least = all.iter().copied().fold(f64::INFINITY, f64::min);
            format!("{} times, {least:.2} to {:.2} s", all.len(), all.iter().copied().fold(0.0, f64::max))
        };
        writeln!(
            f,
            "{} products; built in {:.1} s, verified in {:.1} s",
            self.products, self.build_seconds, self.verify_seconds
        )?;
        writeln!(f, "promoted     {}", range(&self.promotions))?;
        writeln!(f, "rolled back  {}", range(&self.rollbacks))?;
        writeln!(
            f,
            "queries      {}, {} failed; older states seen: {}",
            self.queries, self.failed_queries, self.older_seen
        )?;
        writeln!(f, "  warming up {}", self.warming)?;
        writeln!(f, "  quiet      {}", self.quiet)?;
        for (phase, figures) in [
            ("building ", &self.building),
            ("verifying", &self.verifying),
            ("both     ", &self.preparing),
            ("switching", &self.switching),
        ] {
            writeln!(f, "  {phase}  {figures}  ({:.2} of quiet p99)", figures.p99_ms / self.quiet.p99_ms)?;
        }
        let stolen: Vec<String> = self.stolen.iter().map(|(phase, share)| format!("{phase} {share:.1} %")).collect();
        writeln!(f, "  processor time that the machine's host says it gave to others: {}", stolen.join(", "))?;
        let quiet = self.undisturbed.get("quiet").map_or(f64::NAN, |(figures, _)| figures.p99_ms);
        writeln!(f, "  without the queries that were on their way while it held a processor:")?;
        for (phase, (figures, left_out)) in &self.undisturbed {
            writeln!(f, "    {phase:<9} {figures}  ({:.2} of quiet p99), {left_out} left out", figures.p99_ms / quiet)?;
        }
        writeln!(f, "writes       {}, {} failed", self.writes, self.failed_writes)?;
        writeln!(f, "  all the time {}", self.write)?;
        let equal = if self.equal_to_a_rebuild { "equal to" } else { "DIFFERENT from" };
        writeln!(f, "rebuild      {equal} one from the topic, {} documents", self.rebuild_documents)
    }
}

/// Measures and prints.
///
/// # Errors
/// [`BenchError`] if a service fails, or something is not as it has to be.
pub async fn run(args: Args) -> Result<(), BenchError> {
    let shop = Shop::open(&args.shop).await?;
    let context = CommandContext::at(&args.read_database_url, &args.index_dir, "bench")?;
    catalog::fill(&shop, args.products).await?;
    let load = Load::start(&shop, &args).await?;
    phase(&load, "warming", WARMING).await?;
    phase(&load, "quiet", Duration::from_secs(args.quiet_seconds)).await?;
    let began = Instant::now();
    let mut bundle = Bundle { name: "bench".to_owned(), ..Bundle::default() };
    bundle.analyzer.stop_words = vec!["portable".to_owned()];
    bundle.ranking.title_boost = 1.5;
    load.phase("building");
    let next = built(&context, bundle.clone(), args.build_rate, false).await?;
    let build_seconds = began.elapsed().as_secs_f64();
    load.phase("verifying");
    let verified =
        verify::run(&context, &verify::Args { generation: next.clone(), accept: Vec::new(), at_once: false }).await?;
    load.phase("switching");
    let (mut promotions, mut rollbacks) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        promotions.push(promote::run(&context, &promotion(&next)).await?.switched.seconds);
        load.tell("promoted");
        phase(&load, "switching", Duration::from_secs(5)).await?;
        let back = rollback::Args { reason: "a round of the benchmark".to_owned(), wait: 60 };
        rollbacks.push(rollback::run(&context, &back).await?.seconds);
        load.tell("rolled back");
        phase(&load, "switching", Duration::from_secs(2)).await?;
    }
    promotions.push(promote::run(&context, &promotion(&next)).await?.switched.seconds);
    while load.queries() < args.least_queries {
        phase(&load, "switching", Duration::from_secs(1)).await?;
    }
    let loaded = load.end().await?;
    let fresh = built(&context, bundle, None, true).await?;
    let proof = verify::run(&context, &verify::Args { generation: fresh, accept: Vec::new(), at_once: true }).await;
    let equal =
        proof.as_ref().is_ok_and(|proof| proof.certificate.changes.is_empty() && proof.certificate.declared.is_empty());
    if let Err(error) = &proof {
        eprintln!("{error}");
    }
    let report = Report {
        products: args.products,
        build_seconds,
        verify_seconds: verified.took_seconds,
        promotions,
        rollbacks,
        queries: loaded.queries,
        failed_queries: loaded.failed_queries,
        older_seen: loaded.older_seen,
        warming: loaded.latency(&["warming"])?,
        quiet: loaded.latency(&["quiet"])?,
        building: loaded.latency(&["building"])?,
        verifying: loaded.latency(&["verifying"])?,
        preparing: loaded.latency(&["building", "verifying"])?,
        switching: loaded.latency(&["switching"])?,
        undisturbed: [
            ("quiet", &["quiet"][..]),
            ("preparing", &["building", "verifying"]),
            ("switching", &["switching"]),
        ]
        .into_iter()
        .map(|(name, phases)| Ok((name, loaded.undisturbed(phases)?)))
        .collect::<Result<_, BenchError>>()?,
        stolen: loaded.held.stolen.clone(),
        writes: loaded.writes,
        failed_writes: loaded.failed_writes,
        write: loaded.write,
        equal_to_a_rebuild: equal,
        rebuild_documents: proof.map(|proof| proof.certificate.documents).unwrap_or_default(),
    };
    if args.json {
        println!("{}", crate::json(&report)?);
    } else {
        print!("{report}");
    }
    let missed = report.missed(&args);
    if missed.is_empty() { Ok(()) } else { Err(BenchError::Failed(missed.join("; "))) }
}

/// Lets the load go on for a while, and ends everything if it broke.
async fn phase(load: &Load, name: &'static str, time: Duration) -> Result<(), BenchError> {
    load.phase(name);
    tokio::time::sleep(time).await;
    load.check()
}

async fn built(
    context: &CommandContext,
    bundle: Bundle,
    rate: Option<i32>,
    at_once: bool,
) -> Result<String, BenchError> {
    let args = plan::Args {
        bundle: None,
        same: true,
        from: Some(generations::DocumentSource::Topic),
        rate,
        name: None,
        dry_run: false,
    };
    let planned = plan::of(context, bundle, &args).await?;
    let name = planned.generation.ok_or_else(|| BenchError::Broken("nothing was planned".to_owned()))?;
    build::start(context, &name, at_once).await?;
    build::follow(context, &name, true).await?;
    Ok(name)
}

fn promotion(name: &str) -> promote::Args {
    promote::Args {
        generation: name.to_owned(),
        canary: None,
        watch: None,
        limits: Limits::default(),
        keep: 1,
        wait: 60,
    }
}
