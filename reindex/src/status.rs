//! `reindex status`: index generations and projections, as the read database knows them.

use crate::{
    context::CommandContext,
    failure::Failure,
    generations::{self, Generation},
    phase::Phase,
    vectors::{self, VectorSet},
};
use schemas::Timestamp;
use serde::Serialize;
use std::fmt;

/// A report older than this belongs to a consumer that has stalled or died, in seconds.
const STALLED_AFTER_SECONDS: f64 = 5.0;

/// A tenant that something waits for, or that was served late in the last minute.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct Tenant {
    /// The projection, or `relay:<context>` for an outbox.
    pub projection: String,
    /// The tenant's slug, or its id where the views don't know it yet.
    pub tenant: String,
    /// Rows of the tenant in the outbox.
    pub waiting_events: i64,
    /// Age of the oldest of them in seconds.
    pub waiting_seconds: f64,
    /// How old the latest-coming event of the last minute was when it was applied, in seconds.
    pub late_seconds: f64,
}

/// Tenants that are shown.
const MOST_TENANTS: i64 = 10;
/// A tenant that waits less is not worth a line, in seconds.
const LATE_SECONDS: f64 = 1.0;

/// What there is to look after.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Newest first.
    pub generations: Vec<Generation>,
    /// Their copies on each node.
    pub copies: Vec<CopyOf>,
    /// The sets of vectors that go with them.
    pub vectors: Vec<VectorSet>,
    /// The query-api processes that have reported in the last minute.
    pub readers: Vec<Reader>,
    /// By name; relays too.
    pub projections: Vec<Projection>,
    /// Those that wait longest, the worst first.
    pub tenants: Vec<Tenant>,
}

/// A generation's copy on a node.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct CopyOf {
    /// The node.
    pub node: String,
    /// The generation.
    pub generation: String,
    /// What it is doing.
    pub phase: Phase,
    /// Documents it holds.
    pub documents: i64,
    /// Documents there are to take in.
    pub expected: i64,
    /// Documents a second, of late.
    pub rate_per_second: f64,
    /// Records of the document topic it has not taken in.
    pub lag_events: i64,
    /// Why it failed.
    pub error: String,
    /// Seconds since it reported.
    pub heartbeat_age_seconds: f64,
}

impl CopyOf {
    /// Seconds until it is built, at its present rate; none if that can't be said.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub fn eta_seconds(&self) -> Option<f64> {
        let left = (self.expected - self.documents).max(0) as f64;
        (self.phase == Phase::Building && self.rate_per_second > 0.5).then(|| left / self.rate_per_second)
    }
}

/// A query-api process.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct Reader {
    /// Its id, drawn at its start.
    pub reader: String,
    /// The node whose copies it reads.
    pub node: String,
    /// Where it answers.
    pub address: String,
    /// The generation it answers from.
    pub generation: String,
    /// The switch it has followed.
    pub epoch: i64,
    /// Why it has not followed the newest yet.
    pub waiting: String,
    /// Seconds since it reported.
    pub heartbeat_age_seconds: f64,
}

/// Whether a lag is a problem, by Burrow's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum LagState {
    /// Nothing waits, or the lag shrinks.
    Ok,
    /// It works, but falls behind.
    Warning,
    /// It reports, but makes no progress.
    Stall,
    /// It does not report, though events wait.
    Stop,
}

impl fmt::Display for LagState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Stall => "stall",
            Self::Stop => "stop",
        })
    }
}

/// A projection or a relay, over all its partitions.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct Projection {
    /// A feed (`products`, `merchandising`, `insights`), `index`, `embed`, or `relay:<context>`.
    pub projection: String,
    /// Events not applied yet.
    pub lag_events: i64,
    /// Age of the oldest of them in seconds.
    pub lag_seconds: f64,
    /// Events a second.
    pub rate_per_second: f64,
    /// By Burrow's rules; the worst partition's.
    pub state: LagState,
    /// Seconds until the lag is gone at the rate it shrinks; none while it does not shrink.
    pub catch_up_seconds: Option<f64>,
    /// Seconds since the partition that was silent longest reported.
    pub heartbeat_age_seconds: f64,
    /// Events parked as dead letters, those queued behind them included.
    pub dead_letters: i64,
}

impl Projection {
    /// Whether nobody reports any more.
    #[must_use]
    pub fn is_stalled(&self) -> bool {
        self.heartbeat_age_seconds > STALLED_AFTER_SECONDS
    }
}

/// Reads the status.
///
/// # Errors
/// The database's.
pub async fn read(context: &CommandContext) -> Result<Status, Failure> {
    let generations = generations::all(context).await?;
    let copies = sqlx::query_as(
        "SELECT node, generation, phase, documents, expected, rate_per_second, lag_events, error,
                extract(epoch FROM now() - heartbeat_at)::float8 AS heartbeat_age_seconds
         FROM generation_copies ORDER BY generation, node",
    )
    .fetch_all(&context.pool)
    .await?;
    let readers = sqlx::query_as(
        "SELECT reader, node, address, generation, epoch, waiting, extract(epoch FROM now() - heartbeat_at)::float8 AS heartbeat_age_seconds
         FROM query_nodes WHERE heartbeat_at > now() - interval '1 minute' ORDER BY node, address, reader",
    )
    .fetch_all(&context.pool)
    .await?;
    let projections = sqlx::query_as(
        "SELECT projection, sum(lag_events)::bigint AS lag_events, max(lag_seconds) AS lag_seconds,
                sum(rate_per_second) AS rate_per_second,
                (ARRAY['ok', 'warning', 'stall', 'stop'])[max(array_position(ARRAY['ok', 'warning', 'stall', 'stop'], state))] AS state,
                CASE WHEN bool_and(catch_up_seconds IS NOT NULL) THEN max(catch_up_seconds) END AS catch_up_seconds,
                extract(epoch FROM now() - min(heartbeat_at))::float8 AS heartbeat_age_seconds,
                (SELECT count(*) FROM dead_letters AS d
                 WHERE d.projection = s.projection AND d.state IN ('parked', 'queued', 'retrying')) AS dead_letters
         FROM projection_status AS s GROUP BY projection ORDER BY projection",
    )
    .fetch_all(&context.pool)
    .await?;
    let tenants = sqlx::query_as(
        "SELECT l.projection, coalesce(t.slug, l.tenant_id::text) AS tenant, l.waiting_events, l.waiting_seconds, l.late_seconds
         FROM tenant_lag AS l LEFT JOIN tenants AS t ON t.id = l.tenant_id
         WHERE l.updated_at > now() - interval '1 minute' AND greatest(l.waiting_seconds, l.late_seconds) >= $1
         ORDER BY greatest(l.waiting_seconds, l.late_seconds) DESC LIMIT $2",
    )
    .bind(LATE_SECONDS)
    .bind(MOST_TENANTS)
    .fetch_all(&context.pool)
    .await?;
    let vectors = vectors::all(context).await?;
    Ok(Status { generations, copies, vectors, readers, projections, tenants })
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_generations(f)?;
        writeln!(f)?;
        self.write_projections(f)
    }
}

impl Status {
    fn write_generations(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.generations.is_empty() {
            writeln!(f, "No index generation yet; the projector makes the first when it starts.")?;
        } else {
            writeln!(f, "{:<16} {:<12} {:<20} {:<20} NOTE", "GENERATION", "STATE", "PLANNED", "ACTIVE SINCE")?;
        }
        for row in &self.generations {
            let since = row.activated_at.map_or_else(|| "-".to_owned(), shown);
            let note = row.note.lines().next().unwrap_or_default();
            writeln!(f, "{:<16} {:<12} {:<20} {since:<20} {note}", row.generation, row.state, shown(row.created_at))?;
            for copy in self.copies.iter().filter(|copy| copy.generation == row.generation) {
                write!(
                    f,
                    "  on {:<11} {:<12} {} of {} documents",
                    copy.node, copy.phase, copy.documents, copy.expected
                )?;
                if let Some(seconds) = copy.eta_seconds() {
                    write!(f, ", {:.0} a second, {seconds:.0} s left", copy.rate_per_second)?;
                }
                if copy.lag_events > 0 {
                    write!(f, ", {} records behind", copy.lag_events)?;
                }
                if copy.heartbeat_age_seconds > STALLED_AFTER_SECONDS {
                    write!(f, ", silent for {:.0} s", copy.heartbeat_age_seconds)?;
                }
                writeln!(f, "{}{}", if copy.error.is_empty() { "" } else { ": " }, copy.error)?;
            }
        }
        for set in &self.vectors {
            write!(f, "vectors {}: {}, {} of {} documents", set.key, set.phase, set.vectors, set.documents)?;
            if set.phase == Phase::Building && set.rate_per_second > 0.5 {
                #[expect(clippy::cast_precision_loss, reason = "an estimate")]
                let seconds = set.lag_events as f64 / set.rate_per_second;
                write!(f, ", {:.0} a second, {seconds:.0} s left", set.rate_per_second)?;
            }
            if set.heartbeat_age_seconds > STALLED_AFTER_SECONDS {
                write!(f, ", silent for {:.0} s", set.heartbeat_age_seconds)?;
            }
            writeln!(f, "{}{}", if set.error.is_empty() { "" } else { ": " }, set.error)?;
        }
        for reader in &self.readers {
            let waiting = if reader.waiting.is_empty() { "" } else { ", waits: " };
            let Reader { node, address, generation, .. } = reader;
            writeln!(f, "query-api {address} on {node} answers from {generation}{waiting}{}", reader.waiting)?;
        }
        Ok(())
    }

    fn write_projections(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.projections.is_empty() {
            return writeln!(f, "No projection has reported yet; is the projector running?");
        }
        writeln!(
            f,
            "{:<18} {:>10} {:>10} {:>10} {:>9} {:<8} {:>12}  REPORTS",
            "PROJECTION", "EVENTS", "SECONDS", "PER SECOND", "CATCH UP", "STATE", "DEAD LETTERS"
        )?;
        for row in &self.projections {
            let (name, events, letters) = (&row.projection, row.lag_events, row.dead_letters);
            let catch_up = row.catch_up_seconds.map_or_else(|| "never".to_owned(), |seconds| format!("{seconds:.0} s"));
            let state = if row.is_stalled() { LagState::Stop } else { row.state };
            write!(
                f,
                "{name:<18} {events:>10} {:>10.1} {:>10.1} {catch_up:>9} {state:<8} {letters:>12}  ",
                row.lag_seconds, row.rate_per_second
            )?;
            if row.is_stalled() {
                writeln!(f, "stalled, silent for {:.0} s", row.heartbeat_age_seconds)?;
            } else {
                writeln!(f, "yes")?;
            }
        }
        if !self.tenants.is_empty() {
            writeln!(f, "\n{:<40} {:<18} {:>10} {:>10} {:>10}", "TENANT", "AT", "WAITING", "FOR", "LATE BY")?;
        }
        for row in &self.tenants {
            let (waits, late) = (row.waiting_seconds, row.late_seconds);
            writeln!(
                f,
                "{:<40} {:<18} {:>10} {waits:>8.1} s {late:>8.1} s",
                row.tenant, row.projection, row.waiting_events
            )?;
        }
        Ok(())
    }
}

fn shown(time: Timestamp) -> String {
    time.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projection(age: f64) -> Projection {
        Projection {
            projection: "products".to_owned(),
            lag_events: 12,
            lag_seconds: 0.5,
            rate_per_second: 100.0,
            state: LagState::Ok,
            catch_up_seconds: None,
            heartbeat_age_seconds: age,
            dead_letters: 1,
        }
    }

    fn status(projections: Vec<Projection>) -> Status {
        Status { generations: vec![], copies: vec![], vectors: vec![], readers: vec![], projections, tenants: vec![] }
    }

    #[test]
    fn an_empty_installation_is_told_as_such() {
        let text = status(vec![]).to_string();
        assert!(text.contains("No index generation yet") && text.contains("No projection has reported"), "{text}");
    }

    #[test]
    fn a_silent_projection_is_called_stalled() {
        let late = Tenant {
            projection: "relay:catalog".to_owned(),
            tenant: "acme".to_owned(),
            waiting_events: 7,
            waiting_seconds: 12.5,
            late_seconds: 0.0,
        };
        let status = Status { tenants: vec![late], ..status(vec![projection(0.3), projection(42.0)]) };
        let text = status.to_string();
        assert_eq!(text.matches("stalled, silent for 42 s").count(), 1, "{text}");
        assert_eq!((text.matches(" never ok ").count(), text.matches(" never stop ").count()), (1, 1), "{text}");
        assert!(text.contains("acme") && text.contains("12.5 s"), "{text}");
    }
}
