//! How far each projection is, what is parked, and what the index holds.

use schemas::{Timestamp, ids::TenantId};
use serde::Serialize;
use sqlx::PgPool;

/// A report older than this belongs to a consumer that has stalled or died.
pub const STALLED_AFTER_SECONDS: f64 = 5.0;

/// A projection, summed over its partitions.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Projection {
    /// `views`, `index`, `embed`, or `relay:<context>` for the outboxes.
    pub projection: String,
    /// Events not applied yet; for a relay, rows not published yet.
    pub lag_events: i64,
    /// Age of the oldest of them in seconds.
    pub lag_seconds: f64,
    /// `growing`, `steady`, `draining`, `idle`, or `stalled` when nobody reports any more.
    pub trend: String,
    /// Events a second.
    pub rate_per_second: f64,
    /// Seconds since the last report.
    pub heartbeat_age_seconds: f64,
    /// Each partition.
    pub partitions: Vec<Partition>,
}

/// One partition of one projection.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Partition {
    #[serde(skip)]
    projection: String,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The next offset to read.
    pub next_offset: i64,
    /// The end of the log.
    pub end_offset: i64,
    /// Events between the two.
    pub lag_events: i64,
    /// Age of the oldest of them in seconds.
    pub lag_seconds: f64,
    /// The trend the projector saw.
    pub trend: String,
    /// Events a second.
    pub rate_per_second: f64,
    #[serde(skip)]
    heartbeat_age_seconds: f64,
}

/// The state of all projections.
///
/// # Errors
/// The database's.
pub async fn lag(pool: &PgPool) -> Result<Vec<Projection>, sqlx::Error> {
    let rows: Vec<Partition> = sqlx::query_as(
        "SELECT projection, topic, partition, next_offset, end_offset, lag_events, lag_seconds, trend, rate_per_second,
                extract(epoch FROM now() - heartbeat_at)::float8 AS heartbeat_age_seconds
         FROM projection_status ORDER BY projection, topic, partition",
    )
    .fetch_all(pool)
    .await?;
    let mut projections: Vec<Projection> = Vec::new();
    for row in rows {
        match projections.last_mut() {
            Some(last) if last.projection == row.projection => add(last, row),
            _ => {
                let mut new = Projection {
                    projection: row.projection.clone(),
                    lag_events: 0,
                    lag_seconds: 0.0,
                    trend: "idle".to_owned(),
                    rate_per_second: 0.0,
                    heartbeat_age_seconds: 0.0,
                    partitions: Vec::new(),
                };
                add(&mut new, row);
                projections.push(new);
            }
        }
    }
    Ok(projections)
}

fn add(sum: &mut Projection, row: Partition) {
    // The worst partition speaks for all.
    const ORDER: [&str; 5] = ["idle", "steady", "draining", "growing", "stalled"];
    let rank = |trend: &str| ORDER.iter().position(|known| *known == trend).unwrap_or_default();
    let trend = if row.heartbeat_age_seconds > STALLED_AFTER_SECONDS { "stalled" } else { &row.trend };
    if rank(trend) > rank(&sum.trend) {
        sum.trend = trend.to_owned();
    }
    sum.lag_events += row.lag_events;
    sum.lag_seconds = sum.lag_seconds.max(row.lag_seconds);
    sum.rate_per_second += row.rate_per_second;
    sum.heartbeat_age_seconds = sum.heartbeat_age_seconds.max(row.heartbeat_age_seconds);
    sum.partitions.push(row);
}

/// An event that could not be applied.
#[derive(Debug, Clone, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct DeadLetter {
    /// Its number.
    pub id: i64,
    /// Which projection could not apply it.
    pub projection: String,
    /// The Kafka key.
    pub aggregate_key: String,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub record_offset: i64,
    /// The event's type, if it said one.
    pub event_type: Option<String>,
    /// `parked`, `queued` behind a parked one, or `retrying`.
    pub state: String,
    /// What happened.
    pub error: String,
    /// How often it was tried.
    pub attempts: i32,
    /// Since when it is here.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// The open dead letters of a tenant, oldest first.
///
/// # Errors
/// The database's.
pub async fn dead_letters(pool: &PgPool, tenant: TenantId) -> Result<Vec<DeadLetter>, sqlx::Error> {
    sqlx::query_as(
        "SELECT id, projection, aggregate_key, topic, partition, record_offset, event_type, state, error, attempts, created_at
         FROM dead_letters WHERE tenant_id = $1 AND state IN ('parked', 'queued', 'retrying') ORDER BY id LIMIT 1000",
    )
    .bind(tenant.uuid())
    .fetch_all(pool)
    .await
}
