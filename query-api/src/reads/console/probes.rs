//! The rounds of the synthetic probe.

use crate::{
    app::App,
    example,
    problem::Refusal,
    read_model::{Isolation, ReadModel},
    rows,
};
use access::{Routes, Rule};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use schemas::{Timestamp, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, types};
use utoipa_axum::routes;

/// The rounds of the synthetic probe.
pub const READ: ReadModel = ReadModel { routes, isolation: &[Isolation::staff("/v1/console/probes")] };

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Admin, routes!(probes))
}

/// Minutes that probes are kept.
const DAY_MINUTES: i32 = 1_440;
/// Rounds of the probe that a chart can show; of more, each so many-th.
const MOST_ROUNDS: i64 = 1_500;

/// The rounds of the probe over some minutes.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(Probes::example())))]
pub struct Probes {
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Of all rounds.
    figures: ProbeFigures,
    /// Each so many-th round is shown, and all that did not find.
    each: i64,
    /// The rounds, oldest first.
    probes: Vec<ProbeRound>,
}

impl Probes {
    fn example() -> Self {
        let figures =
            ProbeFigures { rounds: 60, missed: 0, p50_ms: Some(31.0), p99_ms: Some(88.5), write_p50_ms: Some(9.5) };
        Self { at: example::moment(), figures, each: 1, probes: vec![ProbeRound::example()] }
    }
}

/// Sums of rounds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProbeFigures {
    /// Rounds.
    rounds: i64,
    /// Of them, without a hit in time.
    missed: i64,
    /// Half of them took at most this many milliseconds to the hit; null without rounds.
    p50_ms: Option<f64>,
    /// Of a hundred of them, 99 took at most this many milliseconds to the hit; null without rounds.
    p99_ms: Option<f64>,
    /// The commands of half of them took at most this many milliseconds; null without rounds.
    write_p50_ms: Option<f64>,
}

/// One round: a product is changed, and searched for until it is found.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProbeRound {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// How it ended.
    outcome: ProbeOutcome,
    /// Milliseconds from sending the command to its answer; null if there was none.
    write_ms: Option<f64>,
    /// Milliseconds from sending the command to the answer of the search that found it; null if none did.
    searchable_ms: Option<f64>,
    /// What went wrong; empty if nothing did.
    error: String,
}

/// How a round of the probe ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProbeOutcome {
    /// It was found.
    Found,
    /// It was written, but not found in time.
    Late,
    /// One of the two APIs refused, or did not answer.
    Failed,
}

impl ProbeRound {
    /// As the examples show it.
    #[must_use]
    pub fn example() -> Self {
        Self {
            at: example::moment(),
            outcome: ProbeOutcome::Found,
            write_ms: Some(9.5),
            searchable_ms: Some(31.0),
            error: String::new(),
        }
    }
}

/// The last round of all; none before the first.
///
/// # Errors
/// The database's.
pub async fn last(pool: &PgPool) -> Result<Option<ProbeRound>, sqlx::Error> {
    let last: Option<types::Json<ProbeRound>> = sqlx::query_scalar(
        "SELECT to_jsonb(t) FROM (
           SELECT at, outcome, write_ms, searchable_ms, error FROM probes ORDER BY id DESC LIMIT 1) AS t",
    )
    .fetch_optional(pool)
    .await?;
    Ok(last.map(|types::Json(last)| last))
}

/// The rounds of the last minutes, thinned where there are many, and their figures, which are exact.
async fn rounds(pool: &PgPool, minutes: i32) -> Result<Probes, sqlx::Error> {
    let types::Json(figures): types::Json<ProbeFigures> = sqlx::query_scalar(
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
    let each = (figures.rounds / MOST_ROUNDS).max(0) + 1;
    let probes = sqlx::query_scalar(
        "SELECT to_jsonb(t) FROM (
           SELECT at, outcome, write_ms, searchable_ms, error FROM probes
           WHERE at > now() - make_interval(mins => $1) AND (id % $2 = 0 OR outcome <> 'found') ORDER BY id) AS t",
    )
    .bind(minutes)
    .bind(each)
    .fetch_all(pool)
    .await?;
    Ok(Probes { at: Utc::now(), figures, each, probes: rows::plain(probes) })
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
    responses((status = 200, description = "The rounds and their figures", body = Probes)))]
pub async fn probes(
    State(app): State<App>,
    span: Result<Query<Span>, QueryRejection>,
) -> Result<Json<Probes>, Refusal> {
    let minutes = span?.minutes.unwrap_or(60);
    if !(1..=DAY_MINUTES).contains(&minutes) {
        return Err(Refusal::parameter("minutes", "1 to 1440 is expected"));
    }
    Ok(Json(rounds(&app.pool, minutes).await?))
}
