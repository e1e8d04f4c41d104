//! `reindex compare`: the same queries to two generations on the path that shoppers' queries take, and what would
//! change for them.

use crate::{
    context::CommandContext,
    failure::{Failure, Refusal},
    generations,
};
use judged::Judged;
use schemas::{Timestamp, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;

pub mod judged;
mod options;
pub mod overlap;

pub use options::Args;

/// Hits that are compared.
const DEPTH: usize = 10;
/// Persistence of rank-biased overlap: what is below the tenth place counts for a third.
const PERSISTENCE: f64 = 0.9;
/// Queries that are listed, those that change most.
const LISTED: usize = 30;

/// One query, in both.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Compared {
    /// The query.
    pub query: String,
    /// Hits in all, before and after.
    pub totals: (u64, u64),
    /// How much the first ten agree, 0 to 1.
    pub overlap: f64,
    /// NDCG@10 before and after, where there are judgments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ndcg: Option<(f64, f64)>,
    /// The titles of the first ten, before.
    pub before: Vec<String>,
    /// The same after.
    pub after: Vec<String>,
    /// Products that moved, with their places before and after.
    pub movers: Vec<(String, usize, usize)>,
}

/// Latencies in milliseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Latency {
    /// Half of the searches.
    pub p50_ms: f64,
    /// Of a hundred, 99.
    pub p99_ms: f64,
}

/// All queries, in both.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Comparison {
    /// The active generation.
    pub before: String,
    /// The other.
    pub after: String,
    /// The shop.
    pub tenant: String,
    /// How was searched.
    pub mode: String,
    /// How many queries.
    pub queries: usize,
    /// Mean of the overlaps.
    pub overlap: f64,
    /// Queries whose first ten are the same in the same order.
    pub unchanged: usize,
    /// Mean NDCG@10 before and after, over the judged queries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ndcg: Option<(f64, f64)>,
    /// Queries that find nothing any more.
    pub newly_empty: Vec<String>,
    /// Queries that found nothing before.
    pub no_longer_empty: Vec<String>,
    /// Products that were among somebody's first ten and are nobody's any more.
    pub lost_products: Vec<String>,
    /// The other way round.
    pub gained_products: Vec<String>,
    /// How long it took before and after.
    pub latency: (Latency, Latency),
    /// The queries that change most.
    pub most_changed: Vec<Compared>,
    /// Limits that were passed.
    pub passed_limits: Vec<String>,
    /// Who compared.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} queries of {}, {}: {} beside {}",
            self.queries, self.tenant, self.mode, self.after, self.before
        )?;
        writeln!(f, "  overlap (RBO)   {:.3}; {} queries unchanged", self.overlap, self.unchanged)?;
        if let Some((before, after)) = self.ndcg {
            writeln!(f, "  NDCG@10         {before:.4} -> {after:.4}")?;
        }
        let (before, after) = self.latency;
        writeln!(
            f,
            "  latency         p50 {:.1} -> {:.1} ms, p99 {:.1} -> {:.1} ms",
            before.p50_ms, after.p50_ms, before.p99_ms, after.p99_ms
        )?;
        writeln!(f, "  newly empty     {}{}", self.newly_empty.len(), some(&self.newly_empty))?;
        writeln!(f, "  no longer empty {}{}", self.no_longer_empty.len(), some(&self.no_longer_empty))?;
        writeln!(
            f,
            "  products        {} lost, {} gained among the first ten",
            self.lost_products.len(),
            self.gained_products.len()
        )?;
        if !self.most_changed.is_empty() {
            writeln!(
                f,
                "\n  {:<32} {:>7} {:>9} -> {:<9} FIRST BEFORE / AFTER",
                "CHANGED MOST", "OVERLAP", "HITS", "HITS"
            )?;
        }
        for one in self.most_changed.iter().take(10) {
            let first =
                |titles: &[String]| titles.first().map_or("-", String::as_str).chars().take(36).collect::<String>();
            let query: String = one.query.chars().take(32).collect();
            writeln!(
                f,
                "  {query:<32} {:>7.3} {:>9} -> {:<9} {}",
                one.overlap,
                one.totals.0,
                one.totals.1,
                first(&one.before)
            )?;
            writeln!(f, "  {:<63} {}", "", first(&one.after))?;
        }
        Ok(())
    }
}

fn some(list: &[String]) -> String {
    let some: Vec<&str> = list.iter().take(5).map(String::as_str).collect();
    if some.is_empty() { String::new() } else { format!(": {}", some.join(", ")) }
}

/// Compares, and keeps the comparison with the generation.
///
/// # Errors
/// A refusal if a limit is passed.
pub async fn run(context: &CommandContext, args: &Args) -> Result<Comparison, Failure> {
    let active = generations::active(context).await?;
    let other = generations::named(context, &args.generation).await?;
    if !other.state.is_followed() || other.generation == active.generation {
        return Err(Failure::refused(
            "not_comparable",
            format!(
                "{} is {}; another one that is built is compared with the active one",
                other.generation, other.state
            ),
        ));
    }
    let queries = judged::gather(context, args).await?;
    let asker = Asker { context, url: context.query_api().await?, tenant: &args.tenant, mode: &args.mode };
    let bar = context.bar(queries.len() as u64, &format!("comparing {}", args.generation));
    let (mut compared, mut took) = (Vec::new(), (Vec::new(), Vec::new()));
    for (index, query) in queries.iter().enumerate() {
        // Who is asked first has the colder caches.
        let (before, after) = if index % 2 == 0 {
            let before = asker.ask(&active.generation, &query.text).await?;
            (before, asker.ask(&other.generation, &query.text).await?)
        } else {
            let after = asker.ask(&other.generation, &query.text).await?;
            (asker.ask(&active.generation, &query.text).await?, after)
        };
        took.0.push(before.took_ms);
        took.1.push(after.took_ms);
        compared.push((pair(query, &before, &after), before, after));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let comparison = summed(args, &context.actor, (&active.generation, &other.generation), compared, took);
    let mut transaction = context.pool.begin().await?;
    sqlx::query("UPDATE index_generations SET comparison = $2 WHERE generation = $1")
        .bind(&other.generation)
        .bind(serde_json::to_value(&comparison)?)
        .execute(&mut *transaction)
        .await?;
    let detail = json!({"queries": comparison.queries, "overlap": comparison.overlap, "passed_limits": comparison.passed_limits});
    context.record(&mut *transaction, "generation.compared", &other.generation, detail).await?;
    transaction.commit().await?;
    if comparison.passed_limits.is_empty() {
        return Ok(comparison);
    }
    Err(Failure::Refused(Refusal {
        code: "worse",
        detail: format!("{} would do worse; the comparison is kept with it\n{comparison}", other.generation),
        findings: comparison.passed_limits,
    }))
}

/// An answer, as far as it is compared.
struct Answer {
    total: u64,
    /// Id, id it was imported under, and title.
    hits: Vec<(String, String, String)>,
    took_ms: f64,
}

struct Asker<'a> {
    context: &'a CommandContext,
    url: String,
    tenant: &'a str,
    mode: &'a str,
}

impl Asker<'_> {
    async fn ask(&self, generation: &str, text: &str) -> Result<Answer, Failure> {
        let failed = |error: String| Failure::Query(self.url.clone(), error);
        let body = json!({"q": text, "mode": self.mode, "limit": DEPTH, "generation": generation});
        let mut request =
            self.context.http.post(format!("{}/v1/search", self.url)).header("x-tenant-slug", self.tenant).json(&body);
        if let Some(key) = &self.context.admin_key {
            request = request.bearer_auth(key);
        }
        let answer = request.send().await.map_err(|error| failed(error.to_string()))?;
        let status = answer.status();
        let body: Value = answer.json().await.map_err(|error| failed(error.to_string()))?;
        if !status.is_success() {
            return Err(failed(format!("{status}: {body}. Was --admin-key given?")));
        }
        let text = |hit: &Value, name: &str| hit[name].as_str().unwrap_or_default().to_owned();
        let hits = body["hits"].as_array().into_iter().flatten();
        Ok(Answer {
            total: body["total"].as_u64().unwrap_or_default(),
            hits: hits.map(|hit| (text(hit, "id"), text(hit, "external_id"), text(hit, "title"))).collect(),
            took_ms: body["took_ms"].as_f64().unwrap_or_default(),
        })
    }
}

fn pair(query: &Judged, before: &Answer, after: &Answer) -> Compared {
    let ids = |answer: &Answer| answer.hits.iter().map(|(id, ..)| id.clone()).collect::<Vec<_>>();
    let titles = |answer: &Answer| answer.hits.iter().map(|(_, _, title)| title.clone()).collect();
    let (was, is) = (ids(before), ids(after));
    let moved = before.hits.iter().enumerate().filter_map(|(place, (id, _, title))| {
        let now = is.iter().position(|other| other == id)?;
        (now != place).then(|| (title.clone(), place + 1, now + 1))
    });
    let gain = |answer: &Answer| query.ndcg(answer.hits.iter().map(|(_, imported, _)| imported.as_str()));
    let mut movers: Vec<_> = moved.collect();
    movers.sort_by_key(|(_, was, is)| std::cmp::Reverse(was.abs_diff(*is)));
    movers.truncate(5);
    Compared {
        query: query.text.clone(),
        totals: (before.total, after.total),
        overlap: overlap::rank_biased(&was, &is, PERSISTENCE),
        ndcg: gain(before).zip(gain(after)),
        before: titles(before),
        after: titles(after),
        movers,
    }
}

#[expect(clippy::cast_precision_loss, reason = "means of at most some thousand queries")]
fn summed(
    args: &Args,
    by: &str,
    names: (&str, &str),
    compared: Vec<(Compared, Answer, Answer)>,
    took: (Vec<f64>, Vec<f64>),
) -> Comparison {
    let count = compared.len();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let products = |pick: fn(&(Compared, Answer, Answer)) -> &Answer| {
        let titles = compared.iter().flat_map(|one| pick(one).hits.iter().map(|(.., title)| title.clone()));
        titles.collect::<std::collections::BTreeSet<_>>()
    };
    let (was, is) = (products(|one| &one.1), products(|one| &one.2));
    let empty = |wanted: fn((u64, u64)) -> bool| -> Vec<String> {
        compared.iter().filter(|(one, ..)| wanted(one.totals)).map(|(one, ..)| one.query.clone()).collect()
    };
    let (newly_empty, no_longer_empty) = (empty(|(a, b)| a > 0 && b == 0), empty(|(a, b)| a == 0 && b > 0));
    let judged: Vec<(f64, f64)> = compared.iter().filter_map(|(one, ..)| one.ndcg).collect();
    let ndcg = (!judged.is_empty()).then(|| {
        let (before, after): (Vec<f64>, Vec<f64>) = judged.into_iter().unzip();
        (mean(&before), mean(&after))
    });
    let mut passed_limits = Vec::new();
    if newly_empty.len() as f64 > args.most_newly_empty * count as f64 {
        passed_limits.push(format!(
            "{} of {count} queries find nothing any more{}",
            newly_empty.len(),
            some(&newly_empty)
        ));
    }
    if let Some((before, after)) = ndcg.filter(|(before, after)| before - after > args.most_ndcg_loss) {
        passed_limits.push(format!("NDCG@10 falls from {before:.4} to {after:.4}"));
    }
    let mut all: Vec<Compared> = compared.into_iter().map(|(one, ..)| one).collect();
    let overlaps: Vec<f64> = all.iter().map(|one| one.overlap).collect();
    let unchanged = all.iter().filter(|one| one.before == one.after).count();
    all.retain(|one| one.before != one.after);
    all.sort_by(|a, b| a.overlap.total_cmp(&b.overlap));
    all.truncate(LISTED);
    Comparison {
        before: names.0.to_owned(),
        after: names.1.to_owned(),
        tenant: args.tenant.clone(),
        mode: args.mode.clone(),
        queries: count,
        overlap: mean(&overlaps),
        unchanged,
        ndcg,
        newly_empty,
        no_longer_empty,
        lost_products: was.difference(&is).take(100).cloned().collect(),
        gained_products: is.difference(&was).take(100).cloned().collect(),
        latency: (latency(took.0), latency(took.1)),
        most_changed: all,
        passed_limits,
        by: by.to_owned(),
        at: Utc::now(),
    }
}

fn latency(mut took: Vec<f64>) -> Latency {
    took.sort_by(f64::total_cmp);
    let at = |percent: usize| took.get((took.len() * percent / 100).min(took.len().saturating_sub(1))).copied();
    Latency { p50_ms: at(50).unwrap_or_default(), p99_ms: at(99).unwrap_or_default() }
}
