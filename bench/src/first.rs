//! The first search of a shop beside a later one: after its import, after a restart of query-api, and after another
//! shop's import.

use crate::{BenchError, figures::Latencies, peers};
use launcher::{
    import::{mapping::Mapping, reader::Records},
    key::KeyArgs,
    settings::Settings,
    stack::{Service, Stack},
};
use reqwest::header::HeaderMap;
use serde::Serialize;
use serde_json::json;
use std::{
    fmt,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

const EXAMPLES: &str = "Example:
  souk bench first-search --file products.ndjson.gz --mapping electronics

A shop is opened and the catalog imported into it, then query-api is restarted, then the catalog is imported into a
second shop. After each, one search is measured at once, and then as many others as --queries says; no text is asked twice.
During the second import the first shop is searched, too. The exit code is 1 if a first search takes more than
--at-most times the median of those after it.";

/// Titles that queries are made of.
const TITLES: usize = 4_000;

/// Measure the first search of a shop, after imports and a restart
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A catalog file, as for `souk import`
    #[arg(long, value_name = "FILE")]
    pub file: PathBuf,
    /// Mapping of the catalog file
    #[arg(long, value_name = "NAME|FILE", default_value = "electronics")]
    pub mapping: String,
    /// Searches after each first one
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(5..=1_000))]
    pub queries: u32,
    /// How many times the median of the others a first search may take
    #[arg(long, value_name = "TIMES", default_value_t = 5.0)]
    pub at_most: f64,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Where the stack is, whose query-api is restarted.
    #[command(flatten)]
    pub settings: Settings,
}

#[derive(Debug, Serialize)]
struct Measured {
    when: &'static str,
    first_ms: f64,
    warm_p50_ms: f64,
    times: f64,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { when, first_ms, warm_p50_ms, times } = self;
        write!(f, "{when:<42} {first_ms:>8.2} {warm_p50_ms:>12.2} {times:>7.1}")
    }
}

#[derive(Debug, Serialize)]
struct Report {
    measured: Vec<Measured>,
    /// Searches of the first shop while the second one's catalog was imported.
    beside_an_import: crate::figures::Figures,
}

/// A shop that is searched with each text once.
struct Searcher<'a> {
    http: reqwest::Client,
    url: String,
    headers: HeaderMap,
    texts: std::slice::Iter<'a, String>,
}

impl Searcher<'_> {
    async fn search(&mut self, tenant: &str) -> Result<Duration, BenchError> {
        let text = self.texts.next().ok_or_else(|| BenchError::Nothing("the catalog has too few titles".to_owned()))?;
        let broken = |error: reqwest::Error| BenchError::Broken(format!("{}: {error}", self.url));
        let body = json!({"q": text, "mode": "lexical", "facets": ["brand", "category"]});
        let request = self.http.post(&self.url).header("x-tenant-slug", tenant).json(&body);
        let request = request.headers(self.headers.clone());
        let began = Instant::now();
        let response = request.send().await.map_err(broken)?.error_for_status().map_err(broken)?;
        response.bytes().await.map_err(broken)?;
        Ok(began.elapsed())
    }

    async fn first(&mut self, when: &'static str, tenant: &str, queries: u32) -> Result<Measured, BenchError> {
        let first = self.search(tenant).await?;
        let mut others = Latencies::new()?;
        for _ in 0..queries {
            others.add(self.search(tenant).await?);
        }
        let (first_ms, warm_p50_ms) = (first.as_secs_f64() * 1e3, others.figures().p50_ms);
        Ok(Measured { when, first_ms, warm_p50_ms, times: first_ms / warm_p50_ms.max(0.001) })
    }
}

/// Measures and prints.
///
/// # Errors
/// [`BenchError`] if souk does not answer, an import fails, or a first search takes too long.
pub async fn run(args: Args) -> Result<(), BenchError> {
    let broken = |error: &dyn fmt::Display| BenchError::Broken(error.to_string());
    let own = std::env::current_exe().map_err(|error| broken(&error))?;
    let programs = own.parent().unwrap_or(Path::new(".")).to_owned();
    let stack = Stack::new(args.settings.clone(), programs.clone()).map_err(|error| broken(&error))?;
    let texts = texts(&args)?;
    let url = format!("{}/v1/search", stack.url(Service::QueryApi));
    let key = KeyArgs::of(stack.admin_key().map_err(|error| broken(&error))?);
    let headers = key.headers(&[&url]);
    let mut searcher = Searcher { http: peers::client()?, url, headers, texts: texts.iter() };
    let run = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| broken(&error))?.as_secs();
    let (one, other) = (format!("first-{run}"), format!("second-{run}"));

    import(&stack, &args, &programs, &one)?.wait().await.map_err(|error| broken(&error))?;
    let mut measured = vec![searcher.first("after its import", &one, args.queries).await?];
    stack.kill(Service::QueryApi).map_err(|error| broken(&error))?;
    stack.start(Service::QueryApi).map_err(|error| broken(&error))?;
    stack.wait_ready(Service::QueryApi).await.map_err(|error| broken(&error))?;
    measured.push(searcher.first("after a restart of query-api", &one, args.queries).await?);
    let mut importing = import(&stack, &args, &programs, &other)?;
    let mut beside = Latencies::new()?;
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    while importing.try_wait().map_err(|error| broken(&error))?.is_none() {
        ticks.tick().await;
        beside.add(searcher.search(&one).await?);
    }
    measured.push(searcher.first("after the import of another shop", &one, args.queries).await?);
    measured.push(searcher.first("of that other shop", &other, args.queries).await?);
    let report = Report { measured, beside_an_import: beside.figures() };
    if args.json {
        println!("{}", crate::json(&report)?);
    } else {
        println!("{:<42} {:>8} {:>12} {:>7}", "first search", "ms", "warm p50 ms", "times");
        report.measured.iter().for_each(|one| println!("{one}"));
        println!("while another shop was imported: {}", report.beside_an_import);
    }
    let slow = report.measured.iter().filter(|one| one.times > args.at_most).count();
    if slow > 0 {
        return Err(BenchError::Failed(format!(
            "{slow} first searches took more than {} times the others",
            args.at_most
        )));
    }
    Ok(())
}

/// Begins the import of the catalog into a shop; it ends when all is searchable.
fn import(stack: &Stack, args: &Args, programs: &Path, tenant: &str) -> Result<tokio::process::Child, BenchError> {
    let file = std::path::absolute(&args.file)?;
    let mut souk = tokio::process::Command::new(programs.join("souk"));
    souk.arg("import").arg(file).args(["--mapping", &args.mapping, "--tenant", tenant, "--wait", "searchable"]);
    souk.args(["--write-url", &stack.url(Service::WriteApi), "--query-url", &stack.url(Service::QueryApi)]);
    souk.current_dir(&stack.settings.data_dir).stdout(Stdio::null());
    souk.spawn().map_err(|error| BenchError::Broken(format!("`souk import` could not be run: {error}")))
}

/// Two words of each title, no two alike.
fn texts(args: &Args) -> Result<Vec<String>, BenchError> {
    let mapping = Mapping::load(&args.mapping)?;
    let mut texts = std::collections::BTreeSet::new();
    for record in Records::open(&args.file)? {
        let record = record.map_err(|error| BenchError::Nothing(format!("{}: {error}", args.file.display())))?;
        let Some(mapped) = record.fields.ok().and_then(|fields| mapping.apply(&fields).ok()) else { continue };
        let title = mapped.product.title;
        let words: Vec<&str> = title.split_whitespace().filter(|word| word.chars().all(char::is_alphabetic)).collect();
        if let [one, .., two] = words.as_slice() {
            texts.insert(format!("{one} {two}"));
        }
        if texts.len() >= TITLES {
            break;
        }
    }
    Ok(texts.into_iter().collect())
}
