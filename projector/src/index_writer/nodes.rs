//! How far the copies of this node are, and what the query-api processes beside it serve: once a second into the
//! read database, at once when a process follows a switch.

use crate::deps::{Deps, RoleError};
use schemas::Utc;
use search::{
    nodes::{self, ReaderReport},
    offsets::{self, Offsets},
};
use serde_json::Value;
use sqlx::PgConnection;
use std::{collections::BTreeMap, path::Path};

/// What a copy is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// Taking in a catalog, in the background.
    #[default]
    Building,
    /// Following the topic, some way behind.
    CatchingUp,
    /// At the end of the topic, or a moment behind.
    Live,
    /// Standing still, since an operator said so.
    Paused,
    /// Standing at given offsets, to be compared.
    Held,
}

impl Phase {
    /// As in the `phase` column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::CatchingUp => "catching_up",
            Self::Live => "live",
            Self::Paused => "paused",
            Self::Held => "held",
        }
    }
}

/// How far a copy is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// What it is doing.
    pub phase: Phase,
    /// Documents it holds, or has taken in while it is building.
    pub documents: u64,
    /// Documents there are to take in.
    pub expected: u64,
    /// Documents a second, of late.
    pub rate_per_second: f64,
    /// Where it stands.
    pub offsets: Offsets,
    /// The ends of the topic, as last seen.
    pub ends: Offsets,
}

impl Report {
    /// Records of the topic it has not taken in.
    #[must_use]
    pub fn lag(&self) -> i64 {
        let behind = |(partition, end): (_, &i64)| end - self.offsets.get(partition).copied().unwrap_or_default();
        self.ends.iter().map(behind).filter(|lag| *lag > 0).sum()
    }
}

/// The query-api processes, as they report in the index folder.
#[derive(Debug, Default)]
pub struct Readers {
    known: BTreeMap<String, ReaderReport>,
}

impl Readers {
    /// Reads the reports; gives whether one follows another switch than before. Reports of processes that are long
    /// gone are removed.
    pub fn look(&mut self, index_dir: &Path) -> bool {
        let Ok(reports) = nodes::reports(index_dir) else { return false };
        let mut found = BTreeMap::new();
        for (file, report) in reports {
            if (Utc::now() - report.at).num_seconds() > 60 {
                // Somebody else may have removed it.
                let _ = std::fs::remove_file(file);
                continue;
            }
            found.insert(report.reader.clone(), report);
        }
        // All but the figures and the time, which are others with each report.
        let follows = |reports: &BTreeMap<String, ReaderReport>| -> Vec<_> {
            let told = |r: &ReaderReport| (r.reader.clone(), r.epoch, r.opened.clone(), r.waiting.clone());
            reports.values().map(told).collect()
        };
        let changed = follows(&found) != follows(&self.known);
        self.known = found;
        changed
    }
}

/// How old a report is.
fn seconds_since(report: &ReaderReport) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "an age of less than a day")]
    let seconds = (Utc::now() - report.at).num_milliseconds().max(0) as f64 / 1e3;
    seconds
}

/// Writes where a copy stands, which the relay of documents waits for; the rest of the report can wait.
pub async fn move_on(
    connection: &mut PgConnection,
    node: &str,
    name: &str,
    offsets: &Offsets,
) -> Result<(), RoleError> {
    sqlx::query("UPDATE generation_copies SET offsets = $3 WHERE node = $1 AND generation = $2")
        .bind(node)
        .bind(name)
        .bind(serde_json::from_str::<Value>(&offsets::to_json(offsets))?)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes the reports.
pub async fn store(
    connection: &mut PgConnection,
    deps: &Deps,
    copies: &[(String, Report)],
    readers: &Readers,
) -> Result<(), RoleError> {
    for (name, report) in copies {
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        sqlx::query(
            "INSERT INTO generation_copies (node, generation, phase, documents, expected, rate_per_second, lag_events, offsets, heartbeat_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now())
             ON CONFLICT (node, generation) DO UPDATE SET phase = excluded.phase, documents = excluded.documents,
               expected = excluded.expected, rate_per_second = excluded.rate_per_second, lag_events = excluded.lag_events,
               offsets = excluded.offsets, heartbeat_at = excluded.heartbeat_at, error = ''",
        )
        .bind(&deps.config.node)
        .bind(name)
        .bind(report.phase.name())
        .bind(signed(report.documents))
        .bind(signed(report.expected))
        .bind(report.rate_per_second)
        .bind(report.lag())
        .bind(serde_json::from_str::<Value>(&offsets::to_json(&report.offsets))?)
        .execute(&mut *connection)
        .await?;
    }
    for report in readers.known.values() {
        sqlx::query(
            "INSERT INTO query_nodes (reader, node, address, epoch, generation, opened, figures, waiting, heartbeat_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() - make_interval(secs => $9))
             ON CONFLICT (reader) DO UPDATE SET node = excluded.node, address = excluded.address, epoch = excluded.epoch,
               generation = excluded.generation, opened = excluded.opened, figures = excluded.figures,
               waiting = excluded.waiting, heartbeat_at = excluded.heartbeat_at",
        )
        .bind(&report.reader)
        .bind(&deps.config.node)
        .bind(&report.address)
        .bind(report.epoch)
        .bind(&report.generation)
        .bind(&report.opened)
        .bind(serde_json::to_value(&report.figures)?)
        .bind(&report.waiting)
        // By the clock that both share; the database's may be another.
        .bind(seconds_since(report))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Keeps why a copy failed.
pub async fn failed(connection: &mut PgConnection, node: &str, name: &str, error: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO generation_copies (node, generation, phase, documents, expected, rate_per_second, lag_events, offsets, error, heartbeat_at)
         VALUES ($1, $2, 'failed', 0, 0, 0, 0, '[]', $3, now())
         ON CONFLICT (node, generation) DO UPDATE SET phase = 'failed', error = excluded.error, heartbeat_at = excluded.heartbeat_at",
    )
    .bind(node)
    .bind(name)
    .bind(error)
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes the reports of generations that are gone, and of processes that have been silent for a day.
pub async fn forget_gone(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM generation_copies WHERE generation NOT IN (SELECT generation FROM index_generations)")
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "DELETE FROM projection_status WHERE projection LIKE 'index:%' AND heartbeat_at < now() - interval '3 seconds'
           AND substr(projection, 7) NOT IN (SELECT generation FROM index_generations WHERE state NOT IN ('active', 'cancelled', 'failed'))",
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM query_nodes WHERE heartbeat_at < now() - interval '1 day'")
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM index_nodes WHERE heartbeat_at < now() - interval '1 day'").execute(connection).await?;
    Ok(())
}
