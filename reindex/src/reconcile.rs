//! `reindex reconcile`: whether write side, views, documents, index and vectors say the same of the same products; and
//! mends what does not, by having it come down the road once more.
//!
//! What is on its way is not wrong: a product counts only if nothing of it was written in the last seconds.

use crate::{context::CommandContext, failure::Failure};
use serde::Serialize;
use sqlx::PgPool;
use std::{collections::BTreeMap, fmt, time::Duration};

mod downstream;
mod upstream;

/// Products that are named as examples.
const EXAMPLES: usize = 5;

/// Compare write side, views, documents, index and vectors, and mend what differs
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  reindex reconcile                     # 500 products at random\n  reindex reconcile --all --dry-run\n  reindex reconcile --all --tenant demo # one shop, whole\n  reindex reconcile --sample 5000 --write-database-url postgres://souk@127.0.0.1/souk_write\n\nWithout the write database, the views are taken at their word."
)]
pub struct Args {
    /// Products to look at, at random
    #[arg(long, default_value_t = 500)]
    pub sample: i64,
    /// Look at every product
    #[arg(long, conflicts_with = "sample")]
    pub all: bool,
    /// Only this shop's, by its name in addresses or its id
    #[arg(long, value_name = "SHOP")]
    pub tenant: Option<String>,
    /// Seconds in which what was written may be on its way
    #[arg(long, default_value_t = 15.0)]
    pub settle: f64,
    /// Mend nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The write database, for versions and for what has to be published again
    #[arg(long, env = "SOUK_WRITE_DATABASE_URL")]
    pub write_database_url: Option<String>,
}

/// What one step of the road was found to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// What was looked at.
    pub checked: u64,
    /// What differs from the step before.
    pub wrong: u64,
    /// What was sent down the road again.
    pub mended: u64,
    /// Some of what differs, and how.
    pub examples: Vec<String>,
}

impl Hop {
    pub(crate) fn found(&mut self, example: impl FnOnce() -> String) {
        self.wrong += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(example());
        }
    }
}

/// What was found, by step: `views`, `documents`, `index`, `vectors`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// By step of the road.
    pub hops: BTreeMap<&'static str, Hop>,
    /// Whether nothing was to be mended.
    pub dry_run: bool,
}

impl Report {
    /// Sums over the steps: checked, wrong, mended.
    #[must_use]
    pub fn totals(&self) -> (u64, u64, u64) {
        let sum = |of: fn(&Hop) -> u64| self.hops.values().map(of).sum();
        (sum(|hop| hop.checked), sum(|hop| hop.wrong), sum(|hop| hop.mended))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<12} {:>10} {:>8} {:>8}", "", "CHECKED", "WRONG", "MENDED")?;
        for (name, hop) in &self.hops {
            writeln!(f, "{name:<12} {:>10} {:>8} {:>8}", hop.checked, hop.wrong, hop.mended)?;
            for example in &hop.examples {
                writeln!(f, "  {example}")?;
            }
        }
        let (_, wrong, _) = self.totals();
        writeln!(
            f,
            "{}",
            if wrong == 0 { "everything agrees" } else { "what was mended is on its way; run it again to see" }
        )
    }
}

/// Compares and mends; keeps the report.
///
/// # Errors
/// A database's or the index's.
pub async fn run(context: &CommandContext, args: &Args) -> Result<Report, Failure> {
    let write = match &args.write_database_url {
        Some(url) => Some(write_pool(url)?),
        None => None,
    };
    let report = with(context, write.as_ref(), args).await?;
    let (checked, wrong, mended) = report.totals();
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    sqlx::query("INSERT INTO reconciliations (actor, checked, wrong, mended, report) VALUES ($1, $2, $3, $4, $5)")
        .bind(&context.actor)
        .bind(signed(checked))
        .bind(signed(wrong))
        .bind(signed(mended))
        .bind(serde_json::to_value(&report)?)
        .execute(&context.pool)
        .await?;
    sqlx::query("DELETE FROM reconciliations WHERE at < now() - interval '7 days'").execute(&context.pool).await?;
    if mended > 0 {
        context.record(&context.pool, "reconcile.mended", "products", serde_json::to_value(&report)?).await?;
    }
    Ok(report)
}

/// A pool for the write database.
///
/// # Errors
/// If the URL can't be read.
pub fn write_pool(url: &str) -> Result<PgPool, Failure> {
    let options = service::database::PoolOptions {
        max_connections: 2,
        relaxed_durability: false,
        application_name: "souk-reconcile".to_owned(),
    };
    service::database::pool(url, &options).map_err(|error| Failure::Other(format!("--write-database-url: {error}")))
}

async fn with(context: &CommandContext, write: Option<&PgPool>, args: &Args) -> Result<Report, Failure> {
    let mut report = Report { dry_run: args.dry_run, ..Report::default() };
    let tenant = context.tenant(args.tenant.as_deref()).await?;
    if let Some(write) = write {
        let hop = tokio::time::timeout(Duration::from_secs(600), upstream::views(context, write, args, tenant)).await;
        report.hops.insert("views", hop.map_err(|_| Failure::TimedOut("the write database is too slow".to_owned()))??);
    }
    let products = downstream::sample(context, args, tenant).await?;
    let bar = context.bar(products.len() as u64, "reconciling");
    let (mut documents, mut index, mut vectors) = (Hop::default(), Hop::default(), Hop::default());
    for chunk in products.chunks(200) {
        downstream::documents(context, chunk, args.dry_run, &mut documents).await?;
        downstream::index(context, chunk, args, &mut index).await?;
        downstream::vectors(context, chunk, args, &mut vectors).await?;
        bar.inc(chunk.len() as u64);
    }
    bar.finish_and_clear();
    report.hops.extend([("documents", documents), ("index", index), ("vectors", vectors)]);
    Ok(report)
}
