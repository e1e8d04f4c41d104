//! `reindex status`: index generations and projections, as the read database knows them.

use schemas::Timestamp;
use serde::Serialize;
use sqlx::{Connection, PgConnection};
use std::fmt;

/// A report older than this belongs to a consumer that has stalled or died, in seconds.
const STALLED_AFTER_SECONDS: f64 = 5.0;

/// What there is to look after.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Newest first.
    pub generations: Vec<Generation>,
    /// By name; relays too.
    pub projections: Vec<Projection>,
}

/// An index generation.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct Generation {
    /// Its name, also the name of its folder.
    pub generation: String,
    /// building, ready, active, retired or failed.
    pub state: String,
    /// Shape and settings, as written when it was made.
    pub manifest: serde_json::Value,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When queries moved to it.
    pub activated_at: Option<Timestamp>,
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
pub async fn read(url: &str) -> Result<Status, sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    let generations = sqlx::query_as(
        "SELECT generation, state, manifest, created_at, activated_at FROM index_generations ORDER BY created_at DESC",
    )
    .fetch_all(&mut connection)
    .await?;
    let projections = sqlx::query_as(
        "SELECT projection, sum(lag_events)::bigint AS lag_events, max(lag_seconds) AS lag_seconds,
                sum(rate_per_second) AS rate_per_second,
                extract(epoch FROM now() - min(heartbeat_at))::float8 AS heartbeat_age_seconds,
                (SELECT count(*) FROM dead_letters AS d
                 WHERE d.projection = s.projection AND d.state IN ('parked', 'queued', 'retrying')) AS dead_letters
         FROM projection_status AS s GROUP BY projection ORDER BY projection",
    )
    .fetch_all(&mut connection)
    .await?;
    connection.close().await?;
    Ok(Status { generations, projections })
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.generations.is_empty() {
            writeln!(f, "No index generation yet; the projector makes the first when it starts.")?;
        } else {
            writeln!(f, "{:<16} {:<10} {:<20} ACTIVE SINCE", "GENERATION", "STATE", "BEGUN")?;
        }
        for row in &self.generations {
            let since = row.activated_at.map_or_else(|| "-".to_owned(), shown);
            writeln!(f, "{:<16} {:<10} {:<20} {since}", row.generation, row.state, shown(row.created_at))?;
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

    #[test]
    fn an_empty_installation_is_told_as_such() {
        let text = Status { generations: vec![], projections: vec![] }.to_string();
        assert!(text.contains("No index generation yet") && text.contains("No projection has reported"), "{text}");
    }

    #[test]
    fn a_silent_projection_is_called_stalled() {
        let active = Generation {
            generation: "g1".to_owned(),
            state: "active".to_owned(),
            manifest: serde_json::Value::Null,
            created_at: Timestamp::UNIX_EPOCH,
            activated_at: Some(Timestamp::UNIX_EPOCH),
        };
        let status = Status { generations: vec![active], projections: vec![projection(0.3), projection(42.0)] };
        let text = status.to_string();
        assert!(text.contains("1970-01-01 00:00:00Z"), "{text}");
        assert_eq!(text.matches("stalled, silent for 42 s").count(), 1, "{text}");
    }
}
