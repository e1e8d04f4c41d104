//! Events that could not be applied, of all tenants.

use crate::{
    app::App,
    problem::Refusal,
    read_model::{Isolation, ReadModel},
    staff::Staff,
};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    routing::get,
};
use schemas::{Uuid, dead_letter::DeadLetterState};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{PgPool, Postgres, QueryBuilder};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Events that could not be applied, of all tenants.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[Isolation::staff("/v1/console/dead-letters"), Isolation::staff("/v1/console/dead-letters/{id}")],
};

/// The last two paths are the older names, kept for one release.
fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(console_dead_letters))
        .routes(routes!(console_dead_letter))
        .route("/v1/console/letters", get(console_dead_letters))
        .route("/v1/console/letters/{id}", get(console_dead_letter))
}

/// Dead letters on one page at most.
const MAX_DEAD_LETTERS: i64 = 200;

/// Which dead letters, and where the page begins.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DeadLetterFilter {
    /// parked, queued, retrying, retried or discarded; the first three by default
    #[param(value_type = Option<String>)]
    state: Option<DeadLetterState>,
    /// The projection that could not apply it
    projection: Option<String>,
    /// The event's type
    event_type: Option<String>,
    /// The tenant's id
    tenant: Option<Uuid>,
    /// Text that the error has, in any case
    error: Option<String>,
    /// Here for at least so many seconds
    older_than_seconds: Option<i64>,
    /// Dead letters with a number above this
    after: Option<i64>,
    /// Most dead letters, up to 200
    limit: Option<i64>,
}

impl DeadLetterFilter {
    fn push(&self, query: &mut QueryBuilder<Postgres>) {
        match &self.state {
            Some(state) => query.push(" AND d.state = ").push_bind(state.as_str()),
            None => query.push(" AND d.state IN ('parked', 'queued', 'retrying')"),
        };
        for (column, text) in [("projection", &self.projection), ("event_type", &self.event_type)] {
            if let Some(text) = text {
                query.push(" AND d.").push(column).push(" = ").push_bind(text.clone());
            }
        }
        if let Some(tenant) = self.tenant {
            query.push(" AND d.tenant_id = ").push_bind(tenant);
        }
        if let Some(error) = &self.error {
            query.push(" AND strpos(lower(d.error), lower(").push_bind(error.clone()).push(")) > 0");
        }
        if let Some(seconds) = self.older_than_seconds {
            query.push(" AND d.created_at <= now() - make_interval(secs => ").push_bind(seconds).push("::float8)");
        }
    }
}

/// The columns of a dead letter, `d`, beside its tenant, `t`.
const DEAD_LETTER: &str =
    "d.id, d.projection, d.aggregate_key, d.tenant_id, t.slug AS tenant, d.topic, d.partition, d.record_offset,
                      d.event_type, d.state, d.error, d.attempts, d.created_at, d.updated_at";
const FROM_DEAD_LETTERS: &str = " FROM dead_letters AS d LEFT JOIN tenants AS t ON t.id = d.tenant_id WHERE true";

/// A page of dead letters, the oldest first: `total`, `letters`, and `next` to give as `after`.
async fn page(pool: &PgPool, filter: &DeadLetterFilter) -> Result<Value, sqlx::Error> {
    let limit = filter.limit.unwrap_or(50).clamp(1, MAX_DEAD_LETTERS);
    let mut count = QueryBuilder::new("SELECT count(*) FROM dead_letters AS d WHERE true");
    filter.push(&mut count);
    let total: i64 = count.build_query_scalar().fetch_one(pool).await?;
    let mut query = QueryBuilder::new("SELECT to_jsonb(l) FROM (SELECT ");
    query.push(DEAD_LETTER).push(FROM_DEAD_LETTERS).push(" AND d.id > ").push_bind(filter.after.unwrap_or_default());
    filter.push(&mut query);
    query.push(" ORDER BY d.id LIMIT ").push_bind(limit).push(") AS l");
    let letters: Vec<Value> = query.build_query_scalar().fetch_all(pool).await?;
    let full = i64::try_from(letters.len()).unwrap_or(i64::MAX) == limit;
    let next = letters.last().filter(|_| full).map(|last| last["id"].clone());
    Ok(json!({"total": total, "letters": letters, "next": next}))
}

fn shown(payload: Option<Vec<u8>>) -> Value {
    payload.map_or(Value::Null, |bytes| {
        serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into())
    })
}

/// One dead letter, whole: headers, payload, history, what it waits for and what waits behind it.
async fn whole(pool: &PgPool, id: i64) -> Result<Option<Value>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("SELECT to_jsonb(l) FROM (SELECT d.headers, ");
    query.push(DEAD_LETTER).push(FROM_DEAD_LETTERS).push(" AND d.id = ").push_bind(id).push(") AS l");
    let Some(mut letter): Option<Value> = query.build_query_scalar().fetch_optional(pool).await? else {
        return Ok(None);
    };
    let payload: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT payload FROM dead_letters WHERE id = $1").bind(id).fetch_one(pool).await?;
    let history: Vec<(Value, Option<Vec<u8>>)> = sqlx::query_as(
        "SELECT jsonb_build_object('at', at, 'kind', kind, 'actor', actor, 'note', note), payload
         FROM dead_letter_history WHERE letter_id = $1 ORDER BY id",
    )
    .bind(id)
    .fetch_all(pool)
    .await?;
    let history = history.into_iter().map(|(mut happened, payload)| {
        happened["payload"] = shown(payload);
        happened
    });
    letter["history"] = history.collect();
    letter["payload"] = shown(payload);
    let mut query = QueryBuilder::<Postgres>::new("SELECT to_jsonb(l) FROM (SELECT ");
    query.push(DEAD_LETTER).push(FROM_DEAD_LETTERS);
    query
        .push(" AND d.state IN ('parked', 'queued', 'retrying') AND d.projection = ")
        .push_bind(text(&letter, "projection"));
    query
        .push(" AND d.aggregate_key = ")
        .push_bind(text(&letter, "aggregate_key"))
        .push(" ORDER BY d.id LIMIT 500) AS l");
    let open: Vec<Value> = query.build_query_scalar().fetch_all(pool).await?;
    let is_open = open.iter().any(|one| one["id"] == id);
    letter["waits_for"] =
        open.first().filter(|head| is_open && head["id"].as_i64() < Some(id)).map(|head| head["id"].clone()).into();
    letter["queue"] = open.into_iter().filter(|one| one["id"].as_i64() > Some(id)).collect();
    let header = |name: &str| letter["headers"][name].as_str().map(str::to_owned);
    let trace = header("ce_traceparent").and_then(|parent| parent.split('-').nth(1).map(str::to_owned));
    letter["correlation_id"] = header("ce_soukcorrelation").into();
    letter["trace_id"] = trace.into();
    Ok(Some(letter))
}

fn text(row: &Value, name: &str) -> String {
    row[name].as_str().unwrap_or_default().to_owned()
}

/// Events that could not be applied, of all tenants.
#[utoipa::path(get, path = "/v1/console/dead-letters", tag = "console", params(DeadLetterFilter),
    responses((status = 200, description = "`total`, `letters`, `next`", body = Object), (status = 401, description = "The staff key is missing", body = Object)))]
pub async fn console_dead_letters(
    State(app): State<App>,
    _: Staff,
    filter: Result<Query<DeadLetterFilter>, QueryRejection>,
) -> Result<Json<Value>, Refusal> {
    Ok(Json(page(&app.pool, &filter?.0).await?))
}

/// One event that could not be applied, whole.
#[utoipa::path(get, path = "/v1/console/dead-letters/{id}", tag = "console", params(("id" = i64, Path, description = "Its number")),
    responses((status = 200, description = "The dead letter with headers, payload, history, and what queues behind it", body = Object), (status = 401, description = "The staff key is missing", body = Object), (status = 404, description = "No such dead letter", body = Object)))]
pub async fn console_dead_letter(
    State(app): State<App>,
    _: Staff,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let id: i64 = id.parse().map_err(|_| Refusal::parameter("id", "a whole number is expected"))?;
    let found = whole(&app.pool, id).await?;
    found.map(Json).ok_or_else(|| Refusal::not_found("there is no such dead letter"))
}
