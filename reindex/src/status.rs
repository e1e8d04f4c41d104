//! `reindex status`: index generations and projections, as the read database knows them.

use crate::{
    Desk, Failure,
    generations::{self, Generation},
};
use schemas::Timestamp;
use serde::Serialize;
use std::fmt;

/// A report older than this belongs to a consumer that has stalled or died, in seconds.
const STALLED_AFTER_SECONDS: f64 = 5.0;

/// What there is to look after.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Newest first.
    pub generations: Vec<Generation>,
    /// Their copies on each node.
    pub copies: Vec<CopyOf>,
    /// The query-api processes that have reported in the last minute.
    pub readers: Vec<Reader>,
    /// By name; relays too.
    pub projections: Vec<Projection>,
}

/// A generation's copy on a node.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct CopyOf {
    /// The node.
    pub node: String,
    /// The generation.
    pub generation: String,
    /// building, catching_up, live, paused, held or failed.
    pub phase: String,
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
        (self.phase == "building" && self.rate_per_second > 0.5).then(|| left / self.rate_per_second)
    }
}

/// A query-api process.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct Reader {
    /// Its name.
    pub reader: String,
    /// The generation it answers from.
    pub generation: String,
    /// The switch it has followed.
    pub epoch: i64,
    /// Why it has not followed the newest yet.
    pub waiting: String,
    /// Seconds since it reported.
    pub heartbeat_age_seconds: f64,
}

/// A projection or a relay, over all its partitions.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct Projection {
    /// `views`, `index`, `embed`, or `relay:<context>`.
    pub projection: String,
    /// Events not applied yet.
    pub lag_events: i64,
    /// Age of the oldest of them in seconds.
    pub lag_seconds: f64,
    /// Events a second.
    pub rate_per_second: f64,
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
pub async fn read(desk: &Desk) -> Result<Status, Failure> {
    let generations = generations::all(desk).await?;
    let copies = sqlx::query_as(
        "SELECT node, generation, phase, documents, expected, rate_per_second, lag_events, error,
                extract(epoch FROM now() - heartbeat_at)::float8 AS heartbeat_age_seconds
         FROM generation_copies ORDER BY generation, node",
    )
    .fetch_all(&desk.pool)
    .await?;
    let readers = sqlx::query_as(
        "SELECT reader, generation, epoch, waiting, extract(epoch FROM now() - heartbeat_at)::float8 AS heartbeat_age_seconds
         FROM query_nodes WHERE heartbeat_at > now() - interval '1 minute' ORDER BY reader",
    )
    .fetch_all(&desk.pool)
    .await?;
    let projections = sqlx::query_as(
        "SELECT projection, sum(lag_events)::bigint AS lag_events, max(lag_seconds) AS lag_seconds,
                sum(rate_per_second) AS rate_per_second,
                extract(epoch FROM now() - min(heartbeat_at))::float8 AS heartbeat_age_seconds,
                (SELECT count(*) FROM dead_letters AS d
                 WHERE d.projection = s.projection AND d.state IN ('parked', 'queued', 'retrying')) AS dead_letters
         FROM projection_status AS s GROUP BY projection ORDER BY projection",
    )
    .fetch_all(&desk.pool)
    .await?;
    Ok(Status { generations, copies, readers, projections })
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
        for reader in &self.readers {
            let waiting = if reader.waiting.is_empty() { "" } else { ", waits: " };
            writeln!(f, "query-api {} answers from {}{waiting}{}", reader.reader, reader.generation, reader.waiting)?;
        }
        writeln!(f)?;
        if self.projections.is_empty() {
            return writeln!(f, "No projection has reported yet; is the projector running?");
        }
        writeln!(
            f,
            "{:<18} {:>10} {:>10} {:>10} {:>12}  REPORTS",
            "PROJECTION", "EVENTS", "SECONDS", "PER SECOND", "DEAD LETTERS"
        )?;
        for row in &self.projections {
            let (name, events, letters) = (&row.projection, row.lag_events, row.dead_letters);
            write!(
                f,
                "{name:<18} {events:>10} {:>10.1} {:>10.1} {letters:>12}  ",
                row.lag_seconds, row.rate_per_second
            )?;
            if row.is_stalled() {
                writeln!(f, "stalled, silent for {:.0} s", row.heartbeat_age_seconds)?;
            } else {
                writeln!(f, "yes")?;
            }
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
            projection: "views".to_owned(),
            lag_events: 12,
            lag_seconds: 0.5,
            rate_per_second: 100.0,
            heartbeat_age_seconds: age,
            dead_letters: 1,
        }
    }

    fn status(projections: Vec<Projection>) -> Status {
        Status { generations: vec![], copies: vec![], readers: vec![], projections }
    }

    #[test]
    fn an_empty_installation_is_told_as_such() {
        let text = status(vec![]).to_string();
        assert!(text.contains("No index generation yet") && text.contains("No projection has reported"), "{text}");
    }

    #[test]
    fn a_silent_projection_is_called_stalled() {
        let text = status(vec![projection(0.3), projection(42.0)]).to_string();
        assert_eq!(text.matches("stalled, silent for 42 s").count(), 1, "{text}");
    }
}
