//! What a search costs: latency and processor time, by kind of query and with features switched off one by one, and
//! beside other engines.

use crate::{
    BenchError,
    figures::{Figures, Latencies},
    peers::{self, PeerArgs},
    profile::ProfileArgs,
};
use launcher::{import::Progress, key::KeyArgs};
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Instant;

const EXAMPLES: &str = "Examples:
  souk bench search
  souk bench search --tenant big --queries 500 --alone --json
  souk bench search --peers --queries 1000
  MEILI_URL=http://127.0.0.1:7700 MEILI_MASTER_KEY=... souk bench search --peers --query-file queries.txt

Queries are made of the shop's own titles. The same --seed asks the same queries. They are sent one at a time
over HTTP, each as another client, so that no answer comes from the cache. Rounds of all kinds are interleaved.
Processor time is what query-api counts for itself (souk_process_cpu_seconds_total), so send it nothing else
meanwhile.

Without --alone, other engines are measured next. The shop's products are copied to PostgreSQL (full-text search
and pg_trgm, in a schema that is dropped at the end), and to Typesense and Meilisearch if TYPESENSE_URL and
MEILI_URL are set. Each round asks all engines the same queries, and every hit is checked against the filter.
souk must be built with the release profile for this: ./souk down, then SOUK_PROFILE=release ./souk up. With
--json there are two documents, one after the other.";

/// Measure latency and processor time of searches
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Slug of the tenant
    #[arg(long, env = "SOUK_TENANT", default_value = "demo")]
    pub tenant: String,
    /// Queries of each kind
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = clap::value_parser!(u64).range(10..=100_000))]
    pub queries: u64,
    /// Number of rounds
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub rounds: u64,
    /// Seed for choosing the queries
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Address of query-api
    #[arg(long, env = "SOUK_QUERY_URL", default_value = "http://127.0.0.1:8081")]
    pub query_url: String,
    /// Who asks
    #[command(flatten)]
    pub key: KeyArgs,
    /// Measure only souk, by kind of query
    #[arg(long, conflicts_with = "peers")]
    pub alone: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// The engines beside souk.
    #[command(flatten)]
    pub peers: PeerArgs,
}

#[derive(Debug, Clone, Serialize)]
struct Kind {
    name: &'static str,
    latency: Figures,
    /// Processor time of query-api for one query.
    cpu_ms: f64,
    hits: f64,
}

#[derive(Debug, Clone, Serialize)]
struct Report {
    /// The profile that query-api was built with.
    profile: String,
    products: u64,
    queries_of_each_kind: u64,
    kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Page {
    total: u64,
    hits: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    title: String,
    brand: Option<String>,
}

/// A query of a kind: the text and the rest of the body.
type Ask = fn(&Words) -> Value;

/// What one product says for a query.
struct Words {
    one: String,
    two: String,
    brand: Option<String>,
    number: u64,
}

const FACETS: [&str; 5] = ["brand", "category", "price", "available", "product_type"];

/// Every kind of query. The plain one comes first; `without` ones differ from the full one by one feature.
const KINDS: [(&str, Ask); 16] = [
    ("text", |words| json!({"q": words.two})),
    ("text + filter + 5 facets", |words| filtered(words)),
    ("everything + 5 facets", |_| json!({"facets": FACETS})),
    ("typo", |words| json!({"q": misspelt(&words.one)})),
    ("prefix, while typing", |words| json!({"q": begun(&words.one), "typing": true})),
    ("hybrid, vector not cached", |words| json!({"q": format!("{} {}", words.two, words.number), "mode": "hybrid"})),
    ("hybrid, vector cached", |words| json!({"q": words.two, "mode": "hybrid"})),
    ("full: text, filter, facets, highlights", |words| full(words)),
    ("full without facets", |words| with(full(words), "facets", json!([]))),
    ("full without filter", |words| with(full(words), "filter", Value::Null)),
    ("full without highlights", |words| with(full(words), "highlight", json!(false))),
    ("full without understanding", |words| with(full(words), "understand", json!(false))),
    ("full without steering", |words| with(full(words), "steering", json!(false))),
    ("full without kinds", |words| with(full(words), "ranking", json!({"kind_boost": 0}))),
    ("full without title and pairs", |words| {
        with(full(words), "ranking", json!({"title_boost": 0, "phrase_boost": 0}))
    }),
    ("full, all words relaxed at once", |words| with(full(words), "ranking", json!({"enough": 0}))),
];

fn filtered(words: &Words) -> Value {
    let filter = words.brand.as_ref().map(|brand| json!({"field": "brand", "in": [brand]}));
    json!({"q": words.two, "filter": filter, "facets": FACETS})
}

fn full(words: &Words) -> Value {
    with(filtered(words), "highlight", json!(true))
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

/// A word with two letters in the middle the other way round.
fn misspelt(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let middle = letters.len() / 2;
    if middle > 0 && middle < letters.len() {
        letters.swap(middle - 1, middle);
    }
    letters.into_iter().collect()
}

fn begun(word: &str) -> String {
    word.chars().take(word.chars().count().saturating_sub(2).max(2)).collect()
}

struct Client {
    http: reqwest::Client,
    base: String,
    tenant: String,
    headers: HeaderMap,
}

impl Client {
    async fn search(&self, body: &Value) -> Result<Page, BenchError> {
        let broken = |error: reqwest::Error| {
            BenchError::Broken(format!("{}: {error}. Is it running? See `./souk status`", self.base))
        };
        let request =
            self.http.post(format!("{}/v1/search", self.base)).header("x-tenant-slug", &self.tenant).json(body);
        let request = request.headers(self.headers.clone());
        let response = request.send().await.map_err(broken)?;
        if !response.status().is_success() {
            let told = response.text().await.map_err(broken)?;
            return Err(BenchError::Broken(format!("a search was refused: {told}")));
        }
        response.json().await.map_err(broken)
    }

    /// Seconds of processor time that query-api has used.
    async fn processor_seconds(&self) -> Result<f64, BenchError> {
        let broken = |error: reqwest::Error| BenchError::Broken(error.to_string());
        let text = self
            .http
            .get(format!("{}/metrics", self.base))
            .send()
            .await
            .map_err(broken)?
            .text()
            .await
            .map_err(broken)?;
        let line = text.lines().find_map(|line| line.strip_prefix("souk_process_cpu_seconds_total "));
        let seconds = line.and_then(|seconds| seconds.trim().parse().ok());
        seconds.ok_or_else(|| BenchError::Broken("query-api doesn't count its processor time".to_owned()))
    }
}

/// Measures and prints.
///
/// # Errors
/// [`BenchError`] if query-api does not answer or refuses a search.
pub async fn run(args: Args) -> Result<(), BenchError> {
    let http = peers::client()?;
    let base = args.query_url.trim_end_matches('/').to_owned();
    // Alone, souk may be measured as it is; beside others, that is refused before anything is measured.
    let ProfileArgs { any_profile } = args.peers.profile;
    let profile = ProfileArgs { any_profile: any_profile || args.alone }.running(&http, &base).await?;
    if args.peers.peers {
        return peers::run(&args, http, profile).await;
    }
    let headers = args.key.headers(&[&args.query_url]);
    let client = Client { http: http.clone(), base, tenant: args.tenant.clone(), headers };
    let products = client.search(&json!({"limit": 0})).await?.total;
    let words = words(&client, &args, products).await?;
    let total = args.queries * KINDS.len() as u64;
    let mut progress = Progress::begin("searching", total);
    let mut measured: Vec<(Latencies, f64, u64)> =
        KINDS.iter().map(|_| Ok((Latencies::new()?, 0.0, 0))).collect::<Result<_, BenchError>>()?;
    let mut done = 0;
    for (number, round) in words.chunks(words.len().div_ceil(args.rounds as usize).max(1)).enumerate() {
        for ((name, ask), (latencies, seconds, hits)) in KINDS.iter().zip(&mut measured) {
            let before = client.processor_seconds().await?;
            for words in round {
                let body = with(ask(words), "client", json!(format!("{name}-{}-{number}-{}", args.seed, words.number)));
                let began = Instant::now();
                *hits += client.search(&body).await?.total;
                latencies.add(began.elapsed());
                done += 1;
            }
            *seconds += client.processor_seconds().await? - before;
            progress.at(done, total, done, "searches");
        }
    }
    progress.end();
    #[expect(clippy::cast_precision_loss, reason = "counts of queries and hits")]
    let kinds = KINDS.iter().zip(measured).map(|((name, _), (latencies, seconds, hits))| Kind {
        name,
        latency: latencies.figures(),
        cpu_ms: seconds * 1e3 / words.len() as f64,
        hits: hits as f64 / words.len() as f64,
    });
    let (queries_of_each_kind, kinds) = (words.len() as u64, kinds.collect());
    let report = Report { profile: profile.clone(), products, queries_of_each_kind, kinds };
    print(&report, args.json)?;
    if args.alone { Ok(()) } else { peers::run(&args, http, profile).await }
}

/// Words of products all over the catalog.
async fn words(client: &Client, args: &Args, products: u64) -> Result<Vec<Words>, BenchError> {
    const PAGE: u64 = 100;
    let (mut words, mut state) = (Vec::new(), args.seed | 1);
    while (words.len() as u64) < args.queries {
        // A linear congruential generator (Knuth's MMIX) is random enough to pick pages.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let offset = (state >> 33) % products.clamp(1, 9_000);
        let page = client.search(&json!({"sort": "title", "limit": PAGE, "offset": offset})).await?;
        if page.hits.is_empty() {
            return Err(BenchError::Broken("the shop has no products".to_owned()));
        }
        for hit in page.hits.iter().step_by(10) {
            let letters = |word: &&str| word.len() > 3 && word.chars().all(char::is_alphabetic);
            let long: Vec<&str> = hit.title.split_whitespace().filter(letters).collect();
            if let [.., one, two] = long.as_slice() {
                let number = words.len() as u64;
                words.push(Words {
                    one: (*two).to_owned(),
                    two: format!("{one} {two}"),
                    brand: hit.brand.clone(),
                    number,
                });
            }
        }
    }
    words.truncate(usize::try_from(args.queries).unwrap_or(usize::MAX));
    Ok(words)
}

fn print(report: &Report, as_json: bool) -> Result<(), BenchError> {
    if as_json {
        println!("{}", crate::json(report)?);
        return Ok(());
    }
    let Report { profile, products, queries_of_each_kind, .. } = report;
    println!("{products} products, {queries_of_each_kind} queries of each kind; souk's profile: {profile}");
    println!("{:<40} {:>8} {:>8} {:>9} {:>9}", "", "p50 ms", "p99 ms", "cpu ms", "hits");
    for kind in &report.kinds {
        let Kind { name, latency, cpu_ms, hits } = kind;
        println!("{name:<40} {:>8.2} {:>8.2} {cpu_ms:>9.2} {hits:>9.0}", latency.p50_ms, latency.p99_ms);
    }
    Ok(())
}
