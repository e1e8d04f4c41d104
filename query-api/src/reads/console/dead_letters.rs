//! Events that could not be applied, of all tenants.

use crate::{
    app::App,
    problem::Refusal,
    read_model::{Isolation, ReadModel},
    rows,
};
use access::{Routes, Rule};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    routing::get,
};
use schemas::{Uuid, dead_letter::DeadLetterState};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::{PgPool, Postgres, QueryBuilder, types};
use utoipa_axum::routes;

mod row;

use row::{DeadLetterHead, Happened, WholeDeadLetter};

/// Events that could not be applied, of all tenants.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[Isolation::staff("/v1/console/dead-letters"), Isolation::staff("/v1/console/dead-letters/{id}")],
};

fn routes() -> Routes<App> {
    // The old paths are kept for one release.
    Routes::default()
        .allow(Rule::Admin, routes!(console_dead_letters))
        .allow(Rule::Admin, routes!(console_dead_letter))
        .allow_unlisted(Rule::Admin, "/v1/console/letters", get(console_dead_letters))
        .allow_unlisted(Rule::Admin, "/v1/console/letters/{id}", get(console_dead_letter))
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
    /// Those with a number above this
    after: Option<i64>,
    /// Most on a page, up to 200
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

/// A page of dead letters of all tenants.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(DeadLetterPage::example())))]
pub struct DeadLetterPage {
    /// Dead letters that match, on all pages.
    total: i64,
    /// Those of this page, the oldest first.
    #[serde(rename = "letters")]
    dead_letters: Vec<DeadLetterHead>,
    /// What to send as `after` for the next page; null on the last one.
    next: Option<i64>,
}

impl DeadLetterPage {
    fn example() -> Self {
        Self { total: 1, dead_letters: vec![DeadLetterHead::example()], next: None }
    }
}

async fn page(pool: &PgPool, filter: &DeadLetterFilter) -> Result<DeadLetterPage, sqlx::Error> {
    let limit = filter.limit.unwrap_or(50).clamp(1, MAX_DEAD_LETTERS);
    let mut count = QueryBuilder::new("SELECT count(*) FROM dead_letters AS d WHERE true");
    filter.push(&mut count);
    let total: i64 = count.build_query_scalar().fetch_one(pool).await?;
    let mut query = QueryBuilder::new("SELECT to_jsonb(l) FROM (SELECT ");
    query.push(DEAD_LETTER).push(FROM_DEAD_LETTERS).push(" AND d.id > ").push_bind(filter.after.unwrap_or_default());
    filter.push(&mut query);
    query.push(" ORDER BY d.id LIMIT ").push_bind(limit).push(") AS l");
    let dead_letters: Vec<DeadLetterHead> = rows::plain(query.build_query_scalar().fetch_all(pool).await?);
    let full = i64::try_from(dead_letters.len()).unwrap_or(i64::MAX) == limit;
    let next = dead_letters.last().filter(|_| full).map(|last| last.id);
    Ok(DeadLetterPage { total, dead_letters, next })
}

/// A payload as JSON: as it is, or as a text if it is none.
fn shown(payload: Option<Vec<u8>>) -> Result<Option<Box<RawValue>>, serde_json::Error> {
    let Some(bytes) = payload else { return Ok(None) };
    let as_it_is = serde_json::from_slice(&bytes);
    as_it_is.or_else(|_| serde_json::value::to_raw_value(&String::from_utf8_lossy(&bytes))).map(Some)
}

/// One dead letter, whole: headers, payload, history, what it waits for and what waits behind it.
async fn whole(pool: &PgPool, id: i64) -> Result<Option<WholeDeadLetter>, Refusal> {
    let mut query = QueryBuilder::<Postgres>::new("SELECT to_jsonb(l) FROM (SELECT ");
    query.push(DEAD_LETTER).push(FROM_DEAD_LETTERS).push(" AND d.id = ").push_bind(id).push(") AS l");
    let head: Option<types::Json<DeadLetterHead>> = query.build_query_scalar().fetch_optional(pool).await?;
    let Some(types::Json(head)) = head else { return Ok(None) };
    let said: Option<row::Said> =
        sqlx::query_as("SELECT headers, payload FROM dead_letters WHERE id = $1").bind(id).fetch_optional(pool).await?;
    // It may have been settled and forgotten since.
    let Some(row::Said { headers: types::Json(headers), payload }) = said else { return Ok(None) };
    let open = open_of(pool, &head).await?;
    let is_open = open.iter().any(|one| one.id == id);
    let waits_for = open.first().map(|first| first.id).filter(|first| is_open && *first < id);
    let trace = headers.get("ce_traceparent").and_then(|parent| parent.split('-').nth(1).map(str::to_owned));
    Ok(Some(WholeDeadLetter {
        payload: shown(payload)?,
        history: history(pool, id).await?,
        waits_for,
        queue: open.into_iter().filter(|one| one.id > id).collect(),
        correlation_id: headers.get("ce_soukcorrelation").cloned(),
        trace_id: trace,
        headers,
        head,
    }))
}

/// What happened to a dead letter, the oldest first.
async fn history(pool: &PgPool, id: i64) -> Result<Vec<Happened>, Refusal> {
    let rows: Vec<row::HappenedRow> = sqlx::query_as(
        "SELECT at, kind, actor, note, payload FROM dead_letter_history WHERE letter_id = $1 ORDER BY id",
    )
    .bind(id)
    .fetch_all(pool)
    .await?;
    let happened = rows.into_iter().map(|row| {
        Ok(Happened { at: row.at, kind: row.kind, actor: row.actor, note: row.note, payload: shown(row.payload)? })
    });
    happened.collect()
}

/// The open dead letters of the same aggregate at the same projection, the first at the head of the queue.
async fn open_of(pool: &PgPool, of: &DeadLetterHead) -> Result<Vec<DeadLetterHead>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("SELECT to_jsonb(l) FROM (SELECT ");
    query
        .push(DEAD_LETTER)
        .push(FROM_DEAD_LETTERS)
        .push(" AND d.state IN ('parked', 'queued', 'retrying') AND d.projection = ");
    query.push_bind(&of.projection).push(" AND d.aggregate_key = ").push_bind(&of.aggregate_key);
    query.push(" ORDER BY d.id LIMIT 500) AS l");
    Ok(rows::plain(query.build_query_scalar().fetch_all(pool).await?))
}

/// Events that could not be applied, of all tenants.
#[utoipa::path(get, path = "/v1/console/dead-letters", tag = "console", params(DeadLetterFilter),
    responses((status = 200, description = "A page of them", body = DeadLetterPage)))]
pub async fn console_dead_letters(
    State(app): State<App>,
    filter: Result<Query<DeadLetterFilter>, QueryRejection>,
) -> Result<Json<DeadLetterPage>, Refusal> {
    Ok(Json(page(&app.pool, &filter?.0).await?))
}

/// One event that could not be applied, whole.
#[utoipa::path(get, path = "/v1/console/dead-letters/{id}", tag = "console", params(("id" = i64, Path, description = "Its number")),
    responses((status = 200, description = "The dead letter", body = WholeDeadLetter), (status = 404, description = "No such dead letter")))]
pub async fn console_dead_letter(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<WholeDeadLetter>, Refusal> {
    let id: i64 = id.parse().map_err(|_| Refusal::parameter("id", "a whole number is expected"))?;
    let found = whole(&app.pool, id).await?;
    found.map(Json).ok_or_else(|| Refusal::not_found("there is no such dead letter"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_shown_as_it_is_or_as_a_text() {
        let of = |bytes: &[u8]| shown(Some(bytes.to_vec())).expect("JSON").map(|shown| shown.get().to_owned());
        assert_eq!(of(b"{\"b\":1.0,\"a\":2}").as_deref(), Some("{\"b\":1.0,\"a\":2}"));
        assert_eq!(of(b"no JSON\xff").as_deref(), Some("\"no JSON\u{fffd}\""));
        assert!(shown(None).expect("nothing").is_none());
    }
}
