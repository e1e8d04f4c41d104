//! How far each projection is behind.

use crate::{
    app::App,
    example,
    problem::Refusal,
    read_model::{Expected, Isolation, ReadModel},
};
use access::{Routes, Rule};
use axum::{Json, extract::State};
use schemas::{
    Timestamp,
    status::{LagState, LagTrend},
};
use serde::Serialize;
use sqlx::PgPool;
use utoipa_axum::routes;

/// How far each projection is behind.
pub const READ: ReadModel =
    ReadModel { routes, isolation: &[Isolation::of("/v1/status/lag", "/v1/status/lag", Expected::OfInstallation)] };

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Admin, routes!(lag))
}

/// How far each projection is behind.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(Lag::example())))]
pub struct Lag {
    /// Whether no lag grows and nobody has stopped.
    pub ok: bool,
    /// Each projection with its partitions, and each relay.
    pub projections: Vec<Projection>,
    /// The hundred tenants that wait longest, the worst first; those of which nothing moved for a minute are left out.
    pub tenants: Vec<TenantLag>,
}

/// A report older than this belongs to a consumer that has stalled or died.
pub const STALLED_AFTER_SECONDS: f64 = 5.0;

impl Lag {
    /// As the examples show it.
    #[must_use]
    pub fn example() -> Self {
        let partition = Partition {
            projection: "views".to_owned(),
            topic: "souk.catalog".to_owned(),
            partition: 0,
            next_offset: 1_204,
            end_offset: 1_206,
            lag_events: 2,
            lag_seconds: 0.02,
            trend: LagTrend::Draining,
            rate_per_second: 180.5,
            state: LagState::Ok,
            catch_up_seconds: Some(0.01),
            heartbeat_age_seconds: 0.4,
        };
        let tenant = TenantLag {
            projection: "views".to_owned(),
            tenant_id: example::id(9),
            tenant: Some("demo".to_owned()),
            waiting_events: 0,
            waiting_seconds: 0.0,
            applied_events: 540,
            late_seconds: 0.03,
            last_event_time: Some(example::moment()),
        };
        Self { ok: true, projections: vec![sum_of(vec![partition])], tenants: vec![tenant] }
    }
}

/// A projection, summed over its partitions.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Projection {
    /// A feed (`products`, `merchandising`, `insights`), `index`, `embed`, or `relay:<context>` for the outboxes.
    pub projection: String,
    /// Events not applied yet; for a relay, rows not published yet.
    pub lag_events: i64,
    /// Age of the oldest of them in seconds.
    pub lag_seconds: f64,
    /// Where it goes; the worst partition speaks for all.
    pub trend: LagTrend,
    /// Events a second.
    pub rate_per_second: f64,
    /// What the lag means by Burrow's rules; the worst partition speaks for all.
    pub state: LagState,
    /// Seconds until the lag is gone at the rate it shrinks; none while it does not shrink.
    pub catch_up_seconds: Option<f64>,
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
    #[sqlx(try_from = "String")]
    pub trend: LagTrend,
    /// Events a second.
    pub rate_per_second: f64,
    /// What the lag means by Burrow's rules.
    #[sqlx(try_from = "String")]
    pub state: LagState,
    /// Seconds until the lag is gone at the rate it shrinks; none while it does not shrink.
    pub catch_up_seconds: Option<f64>,
    #[serde(skip)]
    heartbeat_age_seconds: f64,
}

/// The state of all projections.
///
/// # Errors
/// The database's.
pub async fn projections(pool: &PgPool) -> Result<Vec<Projection>, sqlx::Error> {
    let rows: Vec<Partition> = sqlx::query_as(
        "SELECT projection, topic, partition, next_offset, end_offset, lag_events, lag_seconds, trend, rate_per_second,
                state, catch_up_seconds, extract(epoch FROM now() - heartbeat_at)::float8 AS heartbeat_age_seconds
         FROM projection_status ORDER BY projection, topic, partition",
    )
    .fetch_all(pool)
    .await?;
    let mut projections: Vec<Vec<Partition>> = Vec::new();
    for row in rows {
        match projections.last_mut() {
            Some(last) if last.first().is_some_and(|known| known.projection == row.projection) => last.push(row),
            _ => projections.push(vec![row]),
        }
    }
    Ok(projections.into_iter().map(sum_of).collect())
}

/// A projection from its partitions.
fn sum_of(partitions: Vec<Partition>) -> Projection {
    let mut sum = Projection {
        projection: partitions.first().map(|first| first.projection.clone()).unwrap_or_default(),
        lag_events: 0,
        lag_seconds: 0.0,
        trend: LagTrend::Idle,
        rate_per_second: 0.0,
        state: LagState::Ok,
        catch_up_seconds: Some(0.0),
        heartbeat_age_seconds: 0.0,
        partitions: Vec::new(),
    };
    for row in partitions {
        add(&mut sum, row);
    }
    sum
}

fn add(sum: &mut Projection, row: Partition) {
    let is_dead = row.heartbeat_age_seconds > STALLED_AFTER_SECONDS;
    sum.trend = sum.trend.max(if is_dead { LagTrend::Stalled } else { row.trend });
    sum.state = sum.state.max(if is_dead { LagState::Stop } else { row.state });
    sum.catch_up_seconds = sum.catch_up_seconds.zip(row.catch_up_seconds).map(|(sum, row)| sum.max(row));
    sum.lag_events += row.lag_events;
    sum.lag_seconds = sum.lag_seconds.max(row.lag_seconds);
    sum.rate_per_second += row.rate_per_second;
    sum.heartbeat_age_seconds = sum.heartbeat_age_seconds.max(row.heartbeat_age_seconds);
    sum.partitions.push(row);
}

/// What waits for a tenant and how late it was served, at one projection.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct TenantLag {
    /// The projection, or `relay:<context>` for an outbox.
    pub projection: String,
    /// The tenant's id.
    pub tenant_id: schemas::Uuid,
    /// The tenant's slug, once the views know it.
    pub tenant: Option<String>,
    /// Rows of the tenant in the outbox.
    pub waiting_events: i64,
    /// Age of the oldest of them in seconds.
    pub waiting_seconds: f64,
    /// Events applied in the last minute.
    pub applied_events: i64,
    /// How old the latest-coming of them was when it was applied, in seconds.
    pub late_seconds: f64,
    /// When the newest event that was applied happened.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_event_time: Option<Timestamp>,
}

/// Tenants that are shown; the rest wait less.
const MOST_TENANTS: i64 = 100;

/// The tenants that wait longest or were served latest, the worst first. Only what was reported in the last minute
/// says something of the present.
///
/// # Errors
/// The database's.
pub async fn tenant_lag(pool: &PgPool) -> Result<Vec<TenantLag>, sqlx::Error> {
    sqlx::query_as(
        "SELECT l.projection, l.tenant_id, t.slug AS tenant, l.waiting_events, l.waiting_seconds, l.applied_events, l.late_seconds,
                l.last_event_time
         FROM tenant_lag AS l LEFT JOIN tenants AS t ON t.id = l.tenant_id
         WHERE l.updated_at > now() - interval '1 minute' AND t.deleted IS NOT TRUE
         ORDER BY greatest(l.waiting_seconds, l.late_seconds) DESC, l.projection, l.tenant_id LIMIT $1",
    )
    .bind(MOST_TENANTS)
    .fetch_all(pool)
    .await
}

/// How far each projection is behind.
#[utoipa::path(get, path = "/v1/status/lag", tag = "status",
    responses((status = 200, description = "Each projection with its partitions, and the tenants that wait longest", body = Lag)))]
pub async fn lag(State(app): State<App>) -> Result<Json<Lag>, Refusal> {
    let (projections, tenants) = (projections(&app.pool).await?, tenant_lag(&app.pool).await?);
    let trouble = |one: &Projection| {
        matches!(one.trend, LagTrend::Growing | LagTrend::Stalled)
            || matches!(one.state, LagState::Stall | LagState::Stop)
    };
    Ok(Json(Lag { ok: !projections.iter().any(trouble), projections, tenants }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(
        trend: LagTrend,
        state: LagState,
        catch_up_seconds: Option<f64>,
        heartbeat_age_seconds: f64,
    ) -> Partition {
        Partition {
            projection: "products".to_owned(),
            topic: "souk.catalog".to_owned(),
            partition: 0,
            next_offset: 10,
            end_offset: 14,
            lag_events: 4,
            lag_seconds: 1.5,
            trend,
            rate_per_second: 2.0,
            state,
            catch_up_seconds,
            heartbeat_age_seconds,
        }
    }

    #[test]
    fn the_worst_partition_speaks_for_all() {
        let sum = sum_of(vec![
            partition(LagTrend::Draining, LagState::Ok, Some(3.0), 0.1),
            partition(LagTrend::Growing, LagState::Warning, None, 0.2),
            partition(LagTrend::Idle, LagState::Ok, Some(0.0), 0.3),
        ]);
        assert_eq!((sum.trend, sum.state, sum.catch_up_seconds), (LagTrend::Growing, LagState::Warning, None));
        assert_eq!((sum.lag_events, sum.rate_per_second, sum.heartbeat_age_seconds), (12, 6.0, 0.3));
        let sum = sum_of(vec![
            partition(LagTrend::Draining, LagState::Ok, Some(3.0), 0.1),
            partition(LagTrend::Draining, LagState::Ok, Some(7.0), 0.1),
        ]);
        assert_eq!(sum.catch_up_seconds, Some(7.0));
    }

    #[test]
    fn who_does_not_report_has_stopped_whatever_it_said_last() {
        let sum = sum_of(vec![partition(LagTrend::Idle, LagState::Ok, Some(0.0), 60.0)]);
        assert_eq!((sum.trend, sum.state), (LagTrend::Stalled, LagState::Stop));
    }
}
