//! souk beside other engines: the same products, the same queries, one engine after the other in each round, and
//! every hit checked against the plain meaning of the filter.

use crate::{
    BenchError,
    figures::{Figures, Latencies},
    profile::ProfileArgs,
    searches::Args,
};
use engine::Engine;
use launcher::import::Progress;
use product::Product;
use queries::{Kind, Query};
use reqwest::Client;
use serde::Serialize;
use service::database::{self, Deadlines, PoolOptions};
use std::{
    path::PathBuf,
    sync::atomic::AtomicU64,
    time::{Duration, Instant},
};

mod engine;
mod http;
mod meilisearch;
mod oracle;
mod postgres;
mod product;
mod queries;
mod ratios;
mod souk;
mod typesense;

#[cfg(test)]
mod stand_in;

pub(crate) use ratios::Ratio;

/// Name of what is made in the other engines, and removed at the end.
const OURS: &str = "souk_bench_peers";

/// Where the other engines are.
#[derive(Debug, Clone, clap::Args)]
pub struct PeerArgs {
    /// Measure only the comparison with PostgreSQL's full-text search, and with Typesense and Meilisearch if their
    /// addresses are given
    #[arg(long)]
    pub peers: bool,
    /// For the comparison: file of queries, on each line a text, a tab and a brand to filter by [default: made of titles]
    #[arg(long, value_name = "FILE", conflicts_with = "alone")]
    pub query_file: Option<PathBuf>,
    /// For the comparison: URL of the read database, from which the products are copied
    #[arg(
        long,
        env = "SOUK_READ_DATABASE_URL",
        hide_env_values = true,
        default_value = "postgres://souk@127.0.0.1:54320/souk_read"
    )]
    pub read_database_url: String,
    /// For the comparison: URL of a database on a server with `pg_trgm`, in which a schema may be created [default: the
    /// read database; the PostgreSQL that souk starts has no `pg_trgm`]
    #[arg(long, env = "SOUK_PEER_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub peer_database_url: Option<String>,
    /// For the comparison: address of Typesense
    #[arg(long, env = "TYPESENSE_URL")]
    pub typesense_url: Option<String>,
    /// API key of Typesense
    #[arg(long, env = "TYPESENSE_API_KEY", default_value = "", hide_default_value = true, hide_env_values = true)]
    pub typesense_api_key: String,
    /// For the comparison: address of Meilisearch
    #[arg(long, env = "MEILI_URL")]
    pub meili_url: Option<String>,
    /// Master key of Meilisearch
    #[arg(long, env = "MEILI_MASTER_KEY", default_value = "", hide_default_value = true, hide_env_values = true)]
    pub meili_master_key: String,
    /// How souk was built.
    #[command(flatten)]
    pub profile: ProfileArgs,
}

#[derive(Debug, Clone, Serialize)]
struct Line {
    engine: &'static str,
    kind: &'static str,
    latency: Figures,
    hits: f64,
    /// souk's latency as a share of this engine's, by round.
    p50_ratio: Option<Ratio>,
    p99_ratio: Option<Ratio>,
}

#[derive(Debug, Clone, Serialize)]
struct Report {
    /// The profile that query-api was built with.
    profile: String,
    products: usize,
    queries: usize,
    rounds: usize,
    skipped: Vec<String>,
    lines: Vec<Line>,
}

/// What one engine did with one kind of query.
struct Measured {
    all: Latencies,
    /// Of each round.
    rounds: Vec<Figures>,
    hits: u64,
}

/// Measures and prints.
///
/// # Errors
/// [`BenchError::Failed`] if an engine gave a hit that does not pass the filter; others if one does not answer.
pub(crate) async fn run(args: &Args, http: Client, profile: String) -> Result<(), BenchError> {
    let options = PoolOptions {
        max_connections: 2,
        relaxed_durability: true,
        deadlines: Deadlines::LONG_WORK,
        application_name: "souk-bench".to_owned(),
    };
    let pool = database::pool(&args.peers.read_database_url, &options)?;
    let products = product::read(&pool, &args.tenant).await?;
    let queries = match &args.peers.query_file {
        Some(file) => queries::of_file(file, &products)?,
        None => queries::of_products(&products, args.queries, args.seed),
    };
    if queries.is_empty() {
        return Err(BenchError::Nothing("no product has a brand and a title of two words".to_owned()));
    }
    let own = args.peers.peer_database_url.as_deref().map(|url| database::pool(url, &options)).transpose()?;
    let (mut engines, skipped) = engines(args, http, own.unwrap_or(pool));
    for engine in &mut engines {
        engine.load(&products).await?;
        eprintln!("{} products in {}", products.len(), engine.name());
    }
    let measured = measure(&engines, &products, &queries, args).await;
    for engine in &engines {
        engine.remove().await?;
    }
    let lines = lines(&engines, &measured?, queries.len());
    let (products, queries, rounds) = (products.len(), queries.len(), args.rounds as usize);
    let report = Report { profile, products, queries, rounds, skipped, lines };
    print(&report, args.json)
}

fn engines(args: &Args, http: Client, pool: sqlx::PgPool) -> (Vec<Engine>, Vec<String>) {
    let base = |url: &str| url.trim_end_matches('/').to_owned();
    let (tenant, asked) = (args.tenant.clone(), AtomicU64::default());
    let mut engines = vec![
        Engine::Souk(souk::Souk {
            http: http.clone(),
            base: base(&args.query_url),
            tenant,
            headers: args.key.headers(&[&args.query_url]),
            asked,
        }),
        Engine::Postgres(postgres::Postgres { pool, trigrams: None }),
    ];
    let mut skipped = Vec::new();
    let peers = &args.peers;
    match &peers.typesense_url {
        Some(url) => engines.push(Engine::Typesense(typesense::Typesense {
            http: http.clone(),
            base: base(url),
            key: peers.typesense_api_key.clone(),
            collection: OURS.to_owned(),
        })),
        None => skipped.push("Typesense: SKIPPED, since TYPESENSE_URL is not given".to_owned()),
    }
    match &peers.meili_url {
        Some(url) => engines.push(Engine::Meilisearch(meilisearch::Meilisearch {
            http,
            base: base(url),
            key: peers.meili_master_key.clone(),
            index: OURS.to_owned(),
        })),
        None => skipped.push("Meilisearch: SKIPPED, since MEILI_URL is not given".to_owned()),
    }
    (engines, skipped)
}

/// Asks every engine each query of a round, one kind after the other, and checks what comes back outside of the
/// time that counts. By engine, then by kind.
async fn measure(
    engines: &[Engine],
    products: &[Product],
    queries: &[Query],
    args: &Args,
) -> Result<Vec<Vec<Measured>>, BenchError> {
    let oracle = oracle::Oracle::new(products);
    let fresh = || Ok(Measured { all: Latencies::new()?, rounds: Vec::new(), hits: 0 });
    let of_engine = || Kind::ALL.iter().map(|_| fresh()).collect::<Result<Vec<_>, BenchError>>();
    let mut measured = engines.iter().map(|_| of_engine()).collect::<Result<Vec<_>, _>>()?;
    for engine in engines {
        oracle.check_counts(engine, queries).await?;
        // The first queries warm caches and are not counted.
        for query in queries.iter().take(20) {
            engine.search(query, Kind::Filtered).await?;
        }
    }
    let total = (queries.len() * engines.len() * Kind::ALL.len()) as u64;
    let mut progress = Progress::begin("searching", total);
    let mut done = 0;
    for round in queries.chunks(queries.len().div_ceil(args.rounds as usize).max(1)) {
        for (index, kind) in Kind::ALL.into_iter().enumerate() {
            for (engine, measured) in engines.iter().zip(&mut measured) {
                let mut latencies = Latencies::new()?;
                for query in round {
                    let began = Instant::now();
                    let answer = engine.search(query, kind).await?;
                    latencies.add(began.elapsed());
                    oracle.check(engine, query, kind, &answer)?;
                    measured[index].hits += answer.total;
                    done += 1;
                }
                measured[index].all.merge(&latencies)?;
                measured[index].rounds.push(latencies.figures());
                progress.at(done, total, done, "searches");
            }
        }
    }
    progress.end();
    Ok(measured)
}

fn lines(engines: &[Engine], measured: &[Vec<Measured>], queries: usize) -> Vec<Line> {
    let Some(souk) = measured.first() else { return Vec::new() };
    let mut lines = Vec::new();
    for (index, kind) in Kind::ALL.into_iter().enumerate() {
        for (place, (engine, of_engine)) in engines.iter().zip(measured).enumerate() {
            let own = &of_engine[index];
            let ratio = |at: fn(&Figures) -> f64| {
                let rounds = souk[index].rounds.iter().zip(&own.rounds);
                let ratios = rounds.map(|(souk, peer)| at(souk) / at(peer).max(f64::MIN_POSITIVE));
                (place > 0).then(|| Ratio::of(ratios.collect())).flatten()
            };
            #[expect(clippy::cast_precision_loss, reason = "a mean for people")]
            let hits = own.hits as f64 / queries as f64;
            let (p50_ratio, p99_ratio) = (ratio(|figures| figures.p50_ms), ratio(|figures| figures.p99_ms));
            let latency = own.all.figures();
            lines.push(Line { engine: engine.name(), kind: kind.name(), latency, hits, p50_ratio, p99_ratio });
        }
    }
    lines
}

fn print(report: &Report, as_json: bool) -> Result<(), BenchError> {
    if as_json {
        println!("{}", crate::json(report)?);
        return Ok(());
    }
    let Report { profile, products, queries, rounds, skipped, lines } = report;
    println!("{products} products, {queries} queries of each kind in {rounds} rounds; souk's profile: {profile}");
    println!(
        "{:<26} {:<22} {:>8} {:>8} {:>7}  souk's p50 and p99 as a share: median (least..most of the rounds)",
        "", "", "p50 ms", "p99 ms", "hits"
    );
    for Line { engine, kind, latency, hits, p50_ratio, p99_ratio } in lines {
        let shares: Vec<String> = [p50_ratio, p99_ratio].into_iter().flatten().map(Ratio::to_string).collect();
        let (p50, p99, shares) = (latency.p50_ms, latency.p99_ms, shares.join(", "));
        println!("{kind:<26} {engine:<22} {p50:>8.2} {p99:>8.2} {hits:>7.0}  {shares}");
    }
    for line in skipped {
        println!("{line}");
    }
    println!("every hit passed the filter, and every engine counted the same products by brand");
    Ok(())
}

/// A client that waits long enough for a slow engine.
pub(crate) fn client() -> Result<Client, BenchError> {
    let built = Client::builder().timeout(Duration::from_secs(60)).tcp_nodelay(true).build();
    built.map_err(|error| BenchError::Broken(error.to_string()))
}
