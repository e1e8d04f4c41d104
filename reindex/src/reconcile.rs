//! `reindex reconcile`: compares the write side, the views, the documents, the index and the vectors. What differs is
//! sent through the pipeline again.
//!
//! Events that are still on their way are no difference: an aggregate is compared only if nothing of it was written in
//! the last seconds.

use crate::{context::CommandContext, failure::Failure};
use serde::Serialize;
use sqlx::PgPool;
use std::{collections::BTreeMap, fmt, time::Duration};

mod downstream;
mod hop;
mod options;
mod upstream;

pub use hop::Hop;
pub use options::Args;

/// What was found, by step: `views`, `documents`, `index`, `vectors`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// By step of the pipeline.
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
        deadlines: service::database::Deadlines::LONG_WORK,
        application_name: "souk-reconcile".to_owned(),
    };
    service::database::pool(url, &options).map_err(|error| Failure::Other(format!("--write-database-url: {error}")))
}

async fn with(context: &CommandContext, write: Option<&PgPool>, args: &Args) -> Result<Report, Failure> {
    let mut report = Report { dry_run: args.dry_run, ..Report::default() };
    let tenant = context.tenant(args.tenant.as_deref()).await?;
    if let Some(write) = write {
        let hop =
            tokio::time::timeout(Duration::from_secs(600), upstream::views(&context.pool, write, args, tenant)).await;
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
