//! `reindex views verify`.

use super::standby::{StandbyState, status};
use crate::{
    context::CommandContext,
    failure::{Failure, Refusal},
};
use projector::{
    rebuild::{self, Proof},
    registry,
};
use serde::Serialize;
use serde_json::json;
use std::{collections::BTreeSet, fmt};

/// Verify that the second set holds the same rows as the live one
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  reindex views verify\n  reindex views verify --accept product_pages,listing   # the live rows of these are known to be wrong"
)]
pub struct Args {
    /// Tables that may differ
    #[arg(long, value_delimiter = ',')]
    pub accept: Vec<String>,
}

/// The proof and what was accepted.
#[derive(Debug, Clone, Serialize)]
pub struct Verified {
    /// What was found.
    #[serde(flatten)]
    pub proof: Proof,
    /// Tables that differ and may.
    pub accepted: Vec<String>,
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<18} {:>10} {:>10} {:>10}", "TABLE", "LIVE", "SECOND", "DIFFERING")?;
        for (table, found) in &self.proof.tables {
            let (live, other, differing) = (found.live_rows, found.other_rows, found.differing);
            writeln!(f, "{table:<18} {live:>10} {other:>10} {differing:>10}")?;
        }
        for finding in self.proof.findings() {
            writeln!(f, "  - {finding}")?;
        }
        if self.accepted.is_empty() {
            writeln!(f, "Proven equal; `reindex views promote` lets the sets change places")
        } else {
            writeln!(f, "Accepted: {}; `reindex views promote` lets the sets change places", self.accepted.join(", "))
        }
    }
}

/// Verifies, and keeps the proof.
///
/// # Errors
/// A refusal with the differences that nobody accepted, or if there is nothing to verify.
pub async fn run(context: &CommandContext, args: &Args) -> Result<Verified, Failure> {
    let tables: Vec<&str> = registry::tables().iter().map(|table| table.name).collect();
    if let Some(unknown) = args.accept.iter().find(|table| !tables.contains(&table.as_str())) {
        let known = tables.join(", ");
        return Err(Failure::refused("unknown_table", format!("there is no view `{unknown}`; the views are {known}")));
    }
    let found = status(context).await?;
    if !found.state.is_some_and(StandbyState::is_followed) || !found.caught_up {
        let state = found.state.map_or("missing", StandbyState::name);
        let left = found.events_left;
        return Err(Failure::refused("not_ready", format!("the second set is {state} with {left} events left")));
    }
    let proof = rebuild::verify(&context.pool).await?;
    let differing: BTreeSet<&str> = proof.differing().collect();
    let undeclared: Vec<&str> =
        differing.iter().copied().filter(|table| !args.accept.iter().any(|accepted| accepted == table)).collect();
    let accepted: Vec<String> = differing.iter().map(|table| (*table).to_owned()).collect();
    let passed = undeclared.is_empty();
    sqlx::query(
        "UPDATE views_standby SET proof = $1, state = CASE
           WHEN state = 'previous' THEN state WHEN $2 THEN 'verified' ELSE 'building' END
         WHERE state IN ('building', 'verified', 'previous')",
    )
    .bind(serde_json::to_value(&proof)?)
    .bind(passed)
    .execute(&context.pool)
    .await?;
    context.record(&context.pool, "views.verify", "views", json!({"passed": passed, "differing": differing})).await?;
    if passed {
        return Ok(Verified { proof, accepted });
    }
    let sum: i64 = undeclared.iter().filter_map(|table| proof.tables.get(*table)).map(|table| table.differing).sum();
    Err(Failure::Refused(Refusal {
        code: "undeclared_differences",
        detail: format!(
            "{sum} rows differ in {}; if the live ones are known to be wrong: --accept {}",
            undeclared.join(", "),
            undeclared.join(",")
        ),
        findings: proof.findings(),
    }))
}
