//! The rounds of the synthetic probe.

use crate::{
    app::App,
    problem::Refusal,
    read_model::{Isolation, ReadModel},
    staff::Staff,
};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use schemas::Utc;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgPool;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The rounds of the synthetic probe.
pub const READ: ReadModel = ReadModel { routes, isolation: &[Isolation::staff("/v1/console/probes")] };

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(probes))
}

/// Minutes that probes are kept.
const DAY_MINUTES: i32 = 1_440;
/// Rounds of the probe that a chart can show; of more, each so many-th.
const MOST_ROUNDS: i64 = 1_500;

/// The rounds of the probe in the last minutes, thinned where there are many, and their figures, exact: rounds, missed,
/// `p50_ms` and `p99_ms` to the hit, `write_p50_ms` of the command alone.
async fn rounds(pool: &PgPool, minutes: i32) -> Result<Value, sqlx::Error> {
    let figures: Value = sqlx::query_scalar(
        "SELECT to_jsonb(t) FROM (
           SELECT count(*) AS rounds, count(*) FILTER (WHERE outcome <> 'found') AS missed,
                  percentile_disc(0.5) WITHIN GROUP (ORDER BY searchable_ms) AS p50_ms,
                  percentile_disc(0.99) WITHIN GROUP (ORDER BY searchable_ms) AS p99_ms,
                  percentile_disc(0.5) WITHIN GROUP (ORDER BY write_ms) AS write_p50_ms
           FROM probes WHERE at > now() - make_interval(mins => $1)) AS t",
    )
    .bind(minutes)
    .fetch_one(pool)
    .await?;
    let each = (figures["rounds"].as_i64().unwrap_or_default() / MOST_ROUNDS).max(0) + 1;
    let rounds: Vec<Value> = sqlx::query_scalar(
        "SELECT to_jsonb(t) FROM (
           SELECT at, outcome, write_ms, searchable_ms, error FROM probes
           WHERE at > now() - make_interval(mins => $1) AND (id % $2 = 0 OR outcome <> 'found') ORDER BY id) AS t",
    )
    .bind(minutes)
    .bind(each)
    .fetch_all(pool)
    .await?;
    Ok(json!({"at": Utc::now(), "figures": figures, "each": each, "probes": rounds}))
}

/// How far back.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Span {
    /// 1 to 1440, default 60
    minutes: Option<i32>,
}

/// The rounds of the synthetic probe.
#[utoipa::path(get, path = "/v1/console/probes", tag = "console", params(Span),
    responses((status = 200, description = "`figures`, `probes` (each `each`-th of them)", body = Object), (status = 401, description = "The staff key is missing", body = Object)))]
pub async fn probes(
    State(app): State<App>,
    _: Staff,
    span: Result<Query<Span>, QueryRejection>,
) -> Result<Json<Value>, Refusal> {
    let minutes = span?.minutes.unwrap_or(60);
    if !(1..=DAY_MINUTES).contains(&minutes) {
        return Err(Refusal::parameter("minutes", "1 to 1440 is expected"));
    }
    Ok(Json(rounds(&app.pool, minutes).await?))
}
