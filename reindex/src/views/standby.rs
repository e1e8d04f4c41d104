//! The second set of views, as the read database knows it.

use crate::{context::CommandContext, failure::Failure};
use projector::{
    rebuild::{self, RebuildError},
    registry,
};
use serde::Serialize;
use serde_json::Value;
use sqlx::Row;
use std::{fmt, time::Duration};

/// How long the projector may be silent before a command stops waiting.
pub const SILENCE: Duration = Duration::from_secs(30);

/// Where the second set is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum StandbyState {
    /// It is being built, or follows the live set unverified.
    Building,
    /// It was found equal to the live set, and can be promoted.
    Verified,
    /// It was live before, and is kept up to date for a rollback.
    Previous,
    /// It could not be built.
    Failed,
    /// It was dropped.
    Cancelled,
}

impl StandbyState {
    /// As in the `state` column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Verified => "verified",
            Self::Previous => "previous",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether a projector keeps it up to date.
    #[must_use]
    pub const fn is_followed(self) -> bool {
        match self {
            Self::Building | Self::Verified | Self::Previous => true,
            Self::Failed | Self::Cancelled => false,
        }
    }
}

impl fmt::Display for StandbyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The second set.
#[derive(Debug, Clone, Serialize)]
pub struct Standby {
    /// Where it is in its life; none when there never was one.
    pub state: Option<StandbyState>,
    /// Events it has not applied yet.
    pub events_left: i64,
    /// Events a second it applies.
    pub rate_per_second: f64,
    /// Seconds until it has caught up, at that rate.
    pub eta_seconds: Option<f64>,
    /// Whether it has applied all that the live one has.
    pub caught_up: bool,
    /// Whether a projector works on it.
    pub alive: bool,
    /// Events a second it may take.
    pub rate_limit: Option<i32>,
    /// Why it failed or was given up.
    pub note: String,
    /// What the last verification found.
    pub proof: Option<Value>,
}

impl fmt::Display for Standby {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.state {
            None => return writeln!(f, "There is no second set of views. `reindex views build` makes one."),
            Some(StandbyState::Building) if self.caught_up => {
                writeln!(f, "The second set follows the live one. Verify it next.")?;
            }
            Some(StandbyState::Building) => {
                let eta = self.eta_seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.0} s"));
                let (left, rate) = (self.events_left, self.rate_per_second);
                writeln!(f, "The second set is being built: {left} events left, {rate:.0} a second, {eta} left.")?;
            }
            Some(StandbyState::Verified) => {
                writeln!(f, "The second set is verified. `reindex views promote` makes it the live one.")?;
            }
            Some(StandbyState::Previous) => {
                writeln!(
                    f,
                    "The set that was live before is kept up to date. It is {} events behind.",
                    self.events_left
                )?;
            }
            Some(state @ (StandbyState::Failed | StandbyState::Cancelled)) => {
                writeln!(f, "The second set is {state}: {}", self.note)?;
            }
        }
        if !self.alive && self.state.is_some_and(StandbyState::is_followed) {
            writeln!(f, "No projector works on it. Is one with the role views running?")?;
        }
        Ok(())
    }
}

/// Reads the state.
///
/// # Errors
/// The database's.
pub async fn status(context: &CommandContext) -> Result<Standby, Failure> {
    let row =
        sqlx::query("SELECT state, rate_limit, note, proof FROM views_standby").fetch_optional(&context.pool).await?;
    // Where it stands is told by its own checkpoint: reports come once a second.
    let (behind, left, rate, silent): (i64, i64, f64, f64) = sqlx::query_as(
        "SELECT (SELECT coalesce(sum(greatest(live.next_offset - coalesce(own.next_offset, 0), 0)), 0)::bigint
                 FROM checkpoints AS live LEFT JOIN checkpoints AS own
                   ON own.projection = $1 AND (own.topic, own.partition) = (live.topic, live.partition)
                 WHERE live.projection = ANY($2)),
                coalesce(sum(lag_events), 0)::bigint, coalesce(sum(rate_per_second), 0),
                coalesce(extract(epoch FROM now() - min(heartbeat_at)), 1e9)::float8
         FROM projection_status WHERE projection = $1",
    )
    .bind(rebuild::PROJECTION)
    .bind(registry::names())
    .fetch_one(&context.pool)
    .await?;
    let events_left = left.max(behind);
    #[expect(clippy::cast_precision_loss, reason = "seconds for people")]
    let eta_seconds = (rate > 0.0).then(|| events_left as f64 / rate);
    let Some(row) = row else {
        let nothing = Standby {
            state: None,
            events_left: 0,
            rate_per_second: 0.0,
            eta_seconds: None,
            caught_up: false,
            alive: false,
            rate_limit: None,
            note: String::new(),
            proof: None,
        };
        return Ok(nothing);
    };
    let alive = silent < SILENCE.as_secs_f64();
    Ok(Standby {
        state: Some(row.try_get("state")?),
        events_left,
        rate_per_second: rate,
        eta_seconds,
        caught_up: alive && behind == 0,
        alive,
        rate_limit: row.try_get("rate_limit")?,
        note: row.try_get("note")?,
        proof: row.try_get("proof")?,
    })
}

impl From<RebuildError> for Failure {
    fn from(error: RebuildError) -> Self {
        match error {
            RebuildError::Database(error) => Self::Database(error),
            other @ (RebuildError::NotReady(_) | RebuildError::NotCaughtUp | RebuildError::Busy) => {
                Self::TimedOut(other.to_string())
            }
        }
    }
}
