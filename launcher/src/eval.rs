//! `souk eval`: relevance of the running query API, measured over HTTP against human judgments.

mod folds;
mod judgments;
mod metrics;
mod report;
mod search;

pub use report::{Figures, QueryFigures};

use crate::{import::Progress, key::KeyArgs};
use judgments::Judged;
use metrics::Ranking;
use report::Report;
use search::{Answer, SearchClient};
use std::path::PathBuf;

const EXAMPLES: &str = "Examples:
  souk eval --judgments judgments.csv --mode lexical
  souk eval --judgments judgments.csv --mode hybrid --json
  souk eval --judgments judgments.csv --per-query | less
  souk eval --judgments judgments.csv --mode hybrid --cross-validate

The file is CSV with the columns query, product_id (the id the product was imported under) and rating
(0 irrelevant to 3 exact). NDCG@10 has the gain 2^rating - 1, the discount log2(rank + 1) and the ideal
ranking of the judged products; what is not judged counts 0. The condensed figure leaves it out of the
top 200 first. Queries with no relevant product are left out of all figures. Latency is that of the
first page of 100 hits, one query at a time.

--cross-validate tries values around the shop's of one setting after the other. Queries are dealt into
five folds by their place in the alphabet; for each fold the value that is best on the other four (the
mean of both NDCGs) is measured on it. If the held-out figure is no better than the shipped one, the
shipped value is as good as fitting.";

/// Measure relevance against human judgments
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// CSV file with the columns query, product_id, rating
    #[arg(long, value_name = "FILE")]
    pub judgments: PathBuf,
    /// Search mode
    #[arg(long, value_enum, default_value = "lexical")]
    pub mode: Mode,
    /// Slug of the tenant
    #[arg(long, env = "SOUK_TENANT", default_value = "demo")]
    pub tenant: String,
    /// Address of query-api
    #[arg(long, env = "SOUK_QUERY_URL", default_value = "http://127.0.0.1:8081")]
    pub query_url: String,
    /// Who asks
    #[command(flatten)]
    pub key: KeyArgs,
    /// Also print the ranking of each query
    #[arg(long)]
    pub per_query: bool,
    /// Fit each ranking setting on four fifths of the queries and measure it on the rest, five times
    #[arg(long, conflicts_with_all = ["per_query"])]
    pub cross_validate: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// How to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Words
    Lexical,
    /// Vectors
    Semantic,
    /// Both, fused
    Hybrid,
}

impl Mode {
    /// As the query API calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lexical => "lexical",
            Self::Semantic => "semantic",
            Self::Hybrid => "hybrid",
        }
    }
}

/// The judgments can't be read, or the query API can't be measured.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// The file of judgments is missing or no such file.
    #[error("the judgments {} can't be read: {reason}", path.display())]
    Judgments {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A search failed.
    #[error("query-api at {url} can't be measured: {reason}")]
    Search {
        /// Its address.
        url: String,
        /// What it said.
        reason: String,
    },
    /// The search was done in another way than was asked for.
    #[error("query-api did not search in mode {asked}: {reason}")]
    OtherMode {
        /// As asked for.
        asked: &'static str,
        /// What it did instead.
        reason: String,
    },
    /// The result can't be written as JSON; a defect.
    #[error("the result can't be written: {0}")]
    Output(#[from] serde_json::Error),
}

/// Measures and prints.
///
/// # Errors
/// [`EvalError`] if the judgments can't be read or a search fails.
pub async fn run(args: Args) -> Result<(), EvalError> {
    if args.cross_validate {
        let report = folds::measure(&args).await?;
        if args.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            print!("{}", report.text());
        }
        return Ok(());
    }
    let report = measure(&args).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report.text());
    }
    Ok(())
}

async fn measure(args: &Args) -> Result<Report, EvalError> {
    let queries = judgments::read(&args.judgments)?;
    let total = queries.len();
    let client = SearchClient::new(&args.query_url, &args.tenant, args.mode, args.key.headers(&[&args.query_url]))?;
    let mut progress = Progress::begin("measuring", total as u64);
    let mut measured = Vec::with_capacity(total);
    // One at a time, so that a latency is the query's own.
    for judged in &queries {
        measured.push(ask(&client, judged).await?);
        progress.at(measured.len() as u64, total as u64, measured.len() as u64, "queries");
    }
    progress.end();
    Ok(Report::new(args.mode, measured, args.per_query))
}

async fn ask(client: &SearchClient, judged: &Judged) -> Result<QueryFigures, EvalError> {
    let Answer { hits, total, ms } = client.search(&judged.query, &[]).await?;
    let ids: Vec<&str> = hits.iter().filter_map(|hit| hit.external_id.as_deref()).collect();
    let ranking = Ranking::new(&ids, &judged.ratings);
    let shown = hits.iter().take(10).zip(1..).map(|(hit, rank)| report::Ranked {
        rank,
        external_id: hit.external_id.clone(),
        rating: hit.external_id.as_ref().and_then(|id| judged.ratings.get(id)).copied(),
        title: hit.title.clone(),
    });
    Ok(QueryFigures {
        query: judged.query.clone(),
        ndcg_10: ranking.ndcg_10(),
        condensed_ndcg_10: ranking.condensed_ndcg_10(),
        judged_10: ranking.judged_10(),
        recall_100: ranking.recall_100(),
        hits: total,
        ms,
        ranking: shown.collect(),
    })
}
