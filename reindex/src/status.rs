//! `reindex status`: index generations and projections, as the read database knows them.

use schemas::Timestamp;
use serde::Serialize;
use sqlx::{Connection, PgConnection};
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
    /// By name; relays too.
    pub projections: Vec<Projection>,
    /// Those that wait longest, the worst first.
    pub tenants: Vec<Tenant>,
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
    /// ok, warning, stall or stop, by Burrow's rules; the worst partition's.
    pub state: String,
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
                (ARRAY['ok', 'warning', 'stall', 'stop'])[max(array_position(ARRAY['ok', 'warning', 'stall', 'stop'], state))] AS state,
                CASE WHEN bool_and(catch_up_seconds IS NOT NULL) THEN max(catch_up_seconds) END AS catch_up_seconds,
                extract(epoch FROM now() - min(heartbeat_at))::float8 AS heartbeat_age_seconds,
                (SELECT count(*) FROM dead_letters AS d
                 WHERE d.projection = s.projection AND d.state IN ('parked', 'queued', 'retrying')) AS dead_letters
         FROM projection_status AS s GROUP BY projection ORDER BY projection",
    )
    .fetch_all(&mut connection)
    .await?;
    let tenants = sqlx::query_as(
        "SELECT l.projection, coalesce(t.slug, l.tenant_id::text) AS tenant, l.waiting_events, l.waiting_seconds, l.late_seconds
         FROM tenant_lag AS l LEFT JOIN tenants AS t ON t.id = l.tenant_id
         WHERE l.updated_at > now() - interval '1 minute' AND greatest(l.waiting_seconds, l.late_seconds) >= $1
         ORDER BY greatest(l.waiting_seconds, l.late_seconds) DESC LIMIT $2",
    )
    .bind(LATE_SECONDS)
    .bind(MOST_TENANTS)
    .fetch_all(&mut connection)
    .await?;
    connection.close().await?;
    Ok(Status { generations, projections, tenants })
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
            "{:<18} {:>10} {:>10} {:>10} {:>9} {:<8} {:>12}  REPORTS",
            "PROJECTION", "EVENTS", "SECONDS", "PER SECOND", "CATCH UP", "STATE", "DEAD LETTERS"
        )?;
        for row in &self.projections {
            let (name, events, letters) = (&row.projection, row.lag_events, row.dead_letters);
            let catch_up = row.catch_up_seconds.map_or_else(|| "never".to_owned(), |seconds| format!("{seconds:.0} s"));
            let state = if row.is_stalled() { "stop" } else { &row.state };
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
            projection: "views".to_owned(),
            lag_events: 12,
            lag_seconds: 0.5,
            rate_per_second: 100.0,
            state: "ok".to_owned(),
            catch_up_seconds: None,
            heartbeat_age_seconds: age,
            dead_letters: 1,
        }
    }

    #[test]
    fn an_empty_installation_is_told_as_such() {
        let text = Status { generations: vec![], projections: vec![], tenants: vec![] }.to_string();
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
        let late = Tenant {
            projection: "relay:catalog".to_owned(),
            tenant: "acme".to_owned(),
            waiting_events: 7,
            waiting_seconds: 12.5,
            late_seconds: 0.0,
        };
        let status = Status {
            generations: vec![active],
            projections: vec![projection(0.3), projection(42.0)],
            tenants: vec![late],
        };
        let text = status.to_string();
        assert!(text.contains("1970-01-01 00:00:00Z"), "{text}");
        assert_eq!(text.matches("stalled, silent for 42 s").count(), 1, "{text}");
        assert_eq!((text.matches(" never ok ").count(), text.matches(" never stop ").count()), (1, 1), "{text}");
        assert!(text.contains("acme") && text.contains("12.5 s"), "{text}");
    }
}
