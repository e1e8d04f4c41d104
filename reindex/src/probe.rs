//! The synthetic probe: write to searchable, measured from outside as a shop would see it. A real product of a tenant
//! of its own is written through write-api and read back from query-api by its token.
//!
//! It is a client of both APIs and so part of neither; it runs wherever operators' actions are executed.

use crate::{context::CommandContext, failure::Failure};
use clap::Args;
use reqwest::{Client, RequestBuilder, StatusCode};
use schemas::{
    Utc,
    token::{CONSISTENCY_HEADER, TOKEN_HEADER, WAIT_HEADER},
};
use serde::Serialize;
use serde_json::{Value, json};
use service::{
    metrics::{
        LATENCY_BUCKETS, Metrics as Registry,
        prometheus_client::{
            encoding::EncodeLabelSet,
            metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
        },
    },
    shutdown::Shutdown,
};
use sqlx::PgPool;
use std::{
    fmt,
    sync::atomic::AtomicU64,
    time::{Duration, Instant},
};

/// The probe's tenant.
pub const TENANT: &str = "souk-probe";
/// How long a write may take to become searchable before the round is late.
const PATIENCE: Duration = Duration::from_secs(10);
/// Rounds after which old ones are deleted.
const PRUNED_EACH: u64 = 100;

/// The probe that runs beside everything.
#[derive(Debug, Clone, Args)]
pub struct Background {
    /// Address of write-api
    #[arg(long, env = "SOUK_WRITE_URL", default_value = "http://127.0.0.1:8080")]
    pub write_url: String,
    /// Milliseconds between two probes; 0 for none
    #[arg(long, env = "SOUK_PROBE_INTERVAL_MS", default_value_t = 5_000)]
    pub probe_interval_ms: u64,
}

/// Measure the time from a write to the search that finds it
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  reindex probe\n  reindex probe --rounds 20 --json | jq .searchable_ms")]
pub struct ProbeArgs {
    /// Address of write-api
    #[arg(long, env = "SOUK_WRITE_URL", default_value = "http://127.0.0.1:8080")]
    pub write_url: String,
    /// How many rounds
    #[arg(long, default_value_t = 1)]
    pub rounds: u32,
    /// Milliseconds between two rounds
    #[arg(long, default_value_t = 200)]
    pub pause_ms: u64,
}

/// Where the probe goes.
#[derive(Debug, Clone)]
pub struct Target {
    /// The address of write-api.
    pub write_url: String,
    /// The address of query-api.
    pub query_url: String,
    /// The key of an administrator, who opens the probe's shop.
    pub key: Option<String>,
}

/// Some rounds by hand; a round that did not find what it wrote makes the command fail.
///
/// # Errors
/// [`Failure::Other`] with all rounds if one missed.
pub async fn rounds(context: &CommandContext, args: &ProbeArgs, json: bool) -> Result<String, Failure> {
    let target = Target {
        write_url: args.write_url.clone(),
        query_url: context.query_api().await?,
        key: context.admin_key.clone(),
    };
    let probe = Probe::new(target).map_err(|error| Failure::Other(error.to_string()))?;
    let mut ticks = tokio::time::interval(Duration::from_millis(args.pause_ms.max(1)));
    let (mut lines, mut missed) = (Vec::new(), 0);
    for _ in 0..args.rounds {
        ticks.tick().await;
        let round = probe.round().await;
        missed += u32::from(round.outcome != Outcome::Found);
        lines.push(if json { serde_json::to_string(&round)? } else { round.to_string() });
    }
    let text = lines.join("\n");
    if missed == 0 {
        Ok(text)
    } else {
        Err(Failure::Other(format!("{missed} of {} rounds missed\n{text}", args.rounds)))
    }
}

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// What was written was found.
    Found,
    /// It was written, but not searchable in time.
    Late,
    /// One of the two APIs refused or did not answer.
    Failed,
}

impl Outcome {
    /// As in the database and the metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Late => "late",
            Self::Failed => "failed",
        }
    }

    const ALL: [Self; 3] = [Self::Found, Self::Late, Self::Failed];
}

/// One round.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Round {
    /// How it ended.
    pub outcome: Outcome,
    /// From sending the command to its answer, in milliseconds.
    pub write_ms: Option<f64>,
    /// From sending the command to the answer that found it, in milliseconds.
    pub searchable_ms: Option<f64>,
    /// What went wrong.
    pub error: String,
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<7}", self.outcome.name())?;
        if let Some(write_ms) = self.write_ms {
            write!(f, " written in {write_ms:.1} ms")?;
        }
        if let Some(searchable_ms) = self.searchable_ms {
            write!(f, ", searchable after {searchable_ms:.1} ms")?;
        }
        if self.error.is_empty() { Ok(()) } else { write!(f, " {}", self.error) }
    }
}

/// The label of an outcome.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabel {
    outcome: &'static str,
}

/// What is counted.
#[derive(Debug, Clone)]
pub struct Metrics {
    seconds: Histogram,
    rounds: Family<OutcomeLabel, Counter>,
    last_found: Gauge<f64, AtomicU64>,
}

impl Metrics {
    /// Registers everything, with every outcome at 0.
    #[must_use]
    pub fn new(registry: &Registry) -> Self {
        let metrics =
            Self { seconds: Histogram::new(LATENCY_BUCKETS), rounds: Family::default(), last_found: Gauge::default() };
        for outcome in Outcome::ALL {
            metrics.rounds.get_or_create(&OutcomeLabel { outcome: outcome.name() }).inc_by(0);
        }
        // A probe that never succeeds is as bad as one that fails: its age counts from the start.
        metrics.last_found.set(now_seconds());
        registry.register(|r| {
            r.register("probe_seconds", "From the command to the search that found it", metrics.seconds.clone());
            r.register("probe_rounds", "Rounds of the probe by outcome", metrics.rounds.clone());
            r.register(
                "probe_last_found_timestamp_seconds",
                "When a round has succeeded last, or the probe was started",
                metrics.last_found.clone(),
            );
        });
        metrics
    }

    fn observe(&self, round: &Round) {
        self.rounds.get_or_create(&OutcomeLabel { outcome: round.outcome.name() }).inc();
        if let (Outcome::Found, Some(searchable_ms)) = (round.outcome, round.searchable_ms) {
            self.seconds.observe(searchable_ms / 1e3);
            self.last_found.set(now_seconds());
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a point in time for a gauge")]
fn now_seconds() -> f64 {
    Utc::now().timestamp_millis() as f64 / 1e3
}

/// Probes at the interval until shutdown; each round goes into the table `probes` and the metrics.
pub async fn run(context: CommandContext, args: Background, metrics: Metrics, shutdown: Shutdown) {
    if args.probe_interval_ms == 0 {
        return;
    }
    let mut ticks = tokio::time::interval(Duration::from_millis(args.probe_interval_ms));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for number in 0_u64.. {
        tokio::select! {
            _ = ticks.tick() => {}
            () = shutdown.wait() => return,
        }
        let round = match context.query_api().await {
            Ok(query_url) => {
                let (write_url, key) = (args.write_url.clone(), context.admin_key.clone());
                once(Target { write_url, query_url, key }).await
            }
            Err(error) => failed(error.to_string()),
        };
        metrics.observe(&round);
        if round.outcome != Outcome::Found {
            tracing::warn!(outcome = round.outcome.name(), error = %round.error, "a probe did not find what it wrote");
        }
        if let Err(error) = keep(&context.pool, &round, number.is_multiple_of(PRUNED_EACH)).await {
            tracing::warn!(%error, "a probe could not be recorded");
        }
    }
}

async fn once(target: Target) -> Round {
    match Probe::new(target) {
        Ok(probe) => probe.round().await,
        Err(error) => failed(error.to_string()),
    }
}

const fn failed(error: String) -> Round {
    Round { outcome: Outcome::Failed, write_ms: None, searchable_ms: None, error }
}

/// Records a round, and deletes those of the day before if `prune` says so.
///
/// # Errors
/// The database's.
pub async fn keep(pool: &PgPool, round: &Round, prune: bool) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO probes (outcome, write_ms, searchable_ms, error) VALUES ($1, $2, $3, $4)")
        .bind(round.outcome.name())
        .bind(round.write_ms)
        .bind(round.searchable_ms)
        .bind(round.error.replace('\0', "\u{fffd}"))
        .execute(pool)
        .await?;
    if prune {
        sqlx::query("DELETE FROM probes WHERE at < now() - interval '1 day'").execute(pool).await?;
    }
    Ok(())
}

/// A client of both APIs.
#[derive(Debug, Clone)]
pub struct Probe {
    http: Client,
    target: Target,
}

/// Why a round failed, and whether the tenant is missing.
struct Refused {
    status: Option<StatusCode>,
    reason: String,
}

impl From<reqwest::Error> for Refused {
    fn from(error: reqwest::Error) -> Self {
        // The sentence of the innermost error is the one that helps: "connection refused".
        let mut innermost: &dyn std::error::Error = &error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        Self { status: error.status(), reason: innermost.to_string() }
    }
}

impl Probe {
    /// A probe.
    ///
    /// # Errors
    /// If there can be no HTTP client.
    pub fn new(target: Target) -> Result<Self, reqwest::Error> {
        let headers = access::key::header(target.key.as_deref());
        let http = Client::builder().timeout(PATIENCE + Duration::from_secs(5)).default_headers(headers).build()?;
        Ok(Self { http, target })
    }

    /// Writes and reads once.
    pub async fn round(&self) -> Round {
        // The title names the round: finding it proves that this very write is searchable.
        let title = format!("Probe {}", Utc::now().timestamp_micros());
        let mut began = Instant::now();
        let token = match self.write(&title).await {
            Err(refused) if refused.status == Some(StatusCode::NOT_FOUND) => {
                if let Err(refused) = self.open_tenant().await {
                    return failed(refused.reason);
                }
                began = Instant::now();
                self.write(&title).await
            }
            outcome => outcome,
        };
        let token = match token {
            Ok(token) => token,
            Err(refused) => return failed(refused.reason),
        };
        let write_ms = began.elapsed().as_secs_f64() * 1e3;
        let (outcome, error) = match self.find(&title, &token).await {
            Ok(true) => (Outcome::Found, String::new()),
            Ok(false) => (Outcome::Late, format!("not searchable after {} s", PATIENCE.as_secs())),
            Err(refused) => (Outcome::Failed, refused.reason),
        };
        let searchable_ms = (outcome == Outcome::Found).then(|| began.elapsed().as_secs_f64() * 1e3);
        Round { outcome, write_ms: Some(write_ms), searchable_ms, error }
    }

    async fn open_tenant(&self) -> Result<(), Refused> {
        let url = format!("{}/v1/tenants/{TENANT}", self.target.write_url);
        answered(self.http.put(url).json(&json!({"name": "souk probe"}))).await.map(|_| ())
    }

    /// Writes the product; gives the token.
    async fn write(&self, title: &str) -> Result<String, Refused> {
        let line = json!({
            "external_id": "probe", "title": title, "description": "Written and read again to see how long that takes",
            "variants": [{"sku": "SOUK-PROBE"}], "publish": true,
        });
        let url = format!("{}/v1/products/bulk?on_error=skip", self.target.write_url);
        let request = self.http.post(url).header("x-tenant-slug", TENANT);
        let text = answered(request.header("content-type", "application/x-ndjson").body(format!("{line}\n"))).await?;
        let last = text.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok()).unwrap_or_default();
        let token = last["summary"]["token"].as_str().filter(|_| last["summary"]["rejected"] == 0);
        token.map(str::to_owned).ok_or_else(|| Refused { status: None, reason: format!("write-api refused: {text}") })
    }

    /// Whether a search with the token finds the title.
    async fn find(&self, title: &str, token: &str) -> Result<bool, Refused> {
        let url = format!("{}/v1/search?q=probe&limit=1&understand=false&steering=false", self.target.query_url);
        let request = self.http.get(url).header("x-tenant-slug", TENANT).header(TOKEN_HEADER, token);
        let answer = request.header(WAIT_HEADER, PATIENCE.as_millis().to_string()).send().await?;
        let fresh = answer.headers().get(CONSISTENCY_HEADER).is_some_and(|value| value == "fresh");
        let text = judged(answer).await?;
        let found: Value = serde_json::from_str(&text).unwrap_or_default();
        Ok(fresh && found["hits"][0]["title"] == title)
    }
}

async fn answered(request: RequestBuilder) -> Result<String, Refused> {
    judged(request.send().await?).await
}

/// The body of an answer, or the problem it tells of.
async fn judged(answer: reqwest::Response) -> Result<String, Refused> {
    let (status, url) = (answer.status(), answer.url().path().to_owned());
    let text = answer.text().await?;
    if status.is_success() {
        return Ok(text);
    }
    let problem: Value = serde_json::from_str(&text).unwrap_or_default();
    let detail = problem["detail"].as_str().or(problem["title"].as_str()).unwrap_or_default().to_owned();
    Err(Refused { status: Some(status), reason: format!("{url}: {status} {detail}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_there_is_a_failure_with_a_reason() {
        let nobody = "http://127.0.0.1:1".to_owned();
        let target = Target { write_url: nobody.clone(), query_url: nobody, key: None };
        let round = Probe::new(target).expect("a client").round().await;
        assert_eq!((round.outcome, round.write_ms), (Outcome::Failed, None));
        assert!(round.error.to_lowercase().contains("refused"), "{}", round.error);
    }

    #[test]
    fn every_outcome_is_counted_from_the_start() {
        let registry = Registry::default();
        let metrics = Metrics::new(&registry);
        let found =
            Round { outcome: Outcome::Found, write_ms: Some(3.0), searchable_ms: Some(21.0), error: String::new() };
        metrics.observe(&found);
        let text = registry.text();
        for line in [
            "souk_probe_rounds_total{outcome=\"found\"} 1",
            "souk_probe_rounds_total{outcome=\"late\"} 0",
            "souk_probe_rounds_total{outcome=\"failed\"} 0",
            "souk_probe_seconds_count 1",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert_eq!(found.to_string(), "found   written in 3.0 ms, searchable after 21.0 ms");
    }
}
