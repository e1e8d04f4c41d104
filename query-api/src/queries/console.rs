//! What staff see in the console: the road, generations, dead letters, probes, operations. Each row comes from the
//! database as JSON, since nothing here is computed with but shown.

use super::status::{self, Projection, TenantLag};
use schemas::{Timestamp, Utc, Uuid};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::{PgPool, Postgres, QueryBuilder};

/// Letters on one page at most.
const MAX_LETTERS: i64 = 200;
/// Rounds of the probe that a chart can show; of more, each so many-th.
const MOST_ROUNDS: i64 = 1_500;
/// Switches and operations that are shown with the generations.
const RECENT: i64 = 50;

const COPIES: &str = "SELECT to_jsonb(t) FROM (
    SELECT node, generation, phase, documents, expected, rate_per_second, lag_events, error,
           extract(epoch FROM now() - heartbeat_at)::float8 AS heartbeat_age_seconds
    FROM generation_copies ORDER BY generation, node) AS t";

/// The sets of vectors, with the generations that want each.
const SETS: &str = "SELECT to_jsonb(t) FROM (
    SELECT key, phase, lag_events, rate_per_second, error,
           (SELECT count(*) FROM embeddings AS e WHERE e.model_id = s.key) AS vectors,
           (SELECT count(*) FROM documents WHERE NOT deleted) AS documents,
           (SELECT coalesce(jsonb_agg(generation ORDER BY generation), '[]') FROM index_generations
            WHERE manifest -> 'bundle' -> 'model' = s.model AND state NOT IN ('planned', 'failed', 'cancelled')) AS generations,
           extract(epoch FROM now() - heartbeat_at)::float8 AS heartbeat_age_seconds
    FROM vector_sets AS s ORDER BY key) AS t";

const NODES: &str = "SELECT to_jsonb(t) FROM (
    SELECT reader, node, address, epoch, generation, opened, figures, waiting,
           extract(epoch FROM now() - heartbeat_at)::float8 AS heartbeat_age_seconds
    FROM query_nodes WHERE heartbeat_at > now() - interval '10 minutes' ORDER BY reader) AS t";

/// Everything between a command and a hit, at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Road {
    at: Timestamp,
    projections: Vec<Projection>,
    tenants: Vec<TenantLag>,
    documents_waiting: Value,
    nodes: Vec<Value>,
    dead_letters: Vec<Value>,
    probe: Option<Value>,
}

/// The road now.
///
/// # Errors
/// The database's.
pub async fn road(pool: &PgPool) -> Result<Road, sqlx::Error> {
    let waiting = "SELECT to_jsonb(t) FROM (
        SELECT count(*) AS events, coalesce(extract(epoch FROM now() - min(event_time)), 0)::float8 AS seconds
        FROM (SELECT event_time FROM document_outbox LIMIT 100000) AS o) AS t";
    let letters = "SELECT to_jsonb(t) FROM (
        SELECT projection, count(*) AS letters FROM dead_letters WHERE state IN ('parked', 'queued', 'retrying')
        GROUP BY projection ORDER BY projection) AS t";
    let probe = "SELECT to_jsonb(t) FROM (
        SELECT at, outcome, write_ms, searchable_ms, error FROM probes ORDER BY id DESC LIMIT 1) AS t";
    Ok(Road {
        at: Utc::now(),
        projections: status::lag(pool).await?,
        tenants: status::tenant_lag(pool).await?,
        documents_waiting: sqlx::query_scalar(waiting).fetch_one(pool).await?,
        nodes: sqlx::query_scalar(NODES).fetch_all(pool).await?,
        dead_letters: sqlx::query_scalar(letters).fetch_all(pool).await?,
        probe: sqlx::query_scalar(probe).fetch_optional(pool).await?,
    })
}

/// All generations with their copies and sets of vectors, the nodes that answer from them, and the last switches.
///
/// # Errors
/// The database's.
pub async fn generations(pool: &PgPool) -> Result<Value, sqlx::Error> {
    let switches: Vec<Value> = sqlx::query_scalar(
        "SELECT to_jsonb(t) FROM (
           SELECT epoch, generation, previous, kind, actor, reason, at FROM index_switches ORDER BY epoch DESC LIMIT $1) AS t",
    )
    .bind(RECENT)
    .fetch_all(pool)
    .await?;
    let copies: Vec<Value> = sqlx::query_scalar(COPIES).fetch_all(pool).await?;
    let nodes: Vec<Value> = sqlx::query_scalar(NODES).fetch_all(pool).await?;
    let sets: Vec<Value> = sqlx::query_scalar(SETS).fetch_all(pool).await?;
    Ok(json!({
        "generations": listed(pool).await?, "copies": copies, "nodes": nodes, "switches": switches, "vectors": sets,
    }))
}

async fn listed(pool: &PgPool) -> Result<Vec<Value>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT to_jsonb(t) FROM (
           SELECT generation, state, revision, manifest -> 'bundle' ->> 'name' AS bundle, manifest ->> 'bundle_hash' AS bundle_hash,
                  source, basis, rate_limit, at_once, paused, canary, created_by, note, created_at, activated_at,
                  certificate IS NOT NULL AS has_certificate, comparison IS NOT NULL AS has_comparison
           FROM index_generations ORDER BY state = 'active' DESC, created_at DESC, generation DESC LIMIT 100) AS t",
    )
    .fetch_all(pool)
    .await
}

/// One generation with its manifest, certificate, comparison and what was done with it.
///
/// # Errors
/// The database's.
pub async fn generation(pool: &PgPool, name: &str) -> Result<Option<Value>, sqlx::Error> {
    let found: Option<Value> =
        sqlx::query_scalar("SELECT to_jsonb(g) FROM index_generations AS g WHERE generation = $1")
            .bind(name)
            .fetch_optional(pool)
            .await?;
    let Some(mut found) = found else { return Ok(None) };
    let operations: Vec<Value> = sqlx::query_scalar(
        "SELECT to_jsonb(o) FROM operations AS o WHERE subject = $1 AND action LIKE 'generation.%' ORDER BY id DESC LIMIT $2",
    )
    .bind(name)
    .bind(RECENT)
    .fetch_all(pool)
    .await?;
    found["operations"] = operations.into();
    // What can be done with one depends on what others there are.
    found["others"] = listed(pool).await?.into();
    Ok(Some(found))
}

/// Which letters, and where the page begins.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct LetterFilter {
    /// parked, queued, retrying, retried or discarded; the first three by default
    state: Option<String>,
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
    /// Letters with a number above this
    after: Option<i64>,
    /// Most letters, up to 200
    limit: Option<i64>,
}

impl LetterFilter {
    fn push(&self, query: &mut QueryBuilder<Postgres>) {
        match &self.state {
            Some(state) => query.push(" AND d.state = ").push_bind(state.clone()),
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

/// The columns of a letter, `d`, beside its tenant, `t`.
const LETTER: &str =
    "d.id, d.projection, d.aggregate_key, d.tenant_id, t.slug AS tenant, d.topic, d.partition, d.record_offset,
                      d.event_type, d.state, d.error, d.attempts, d.created_at, d.updated_at";
const FROM_LETTERS: &str = " FROM dead_letters AS d LEFT JOIN tenants AS t ON t.id = d.tenant_id WHERE true";

/// A page of letters, the oldest first: `total`, `letters`, and `next` to give as `after`.
///
/// # Errors
/// The database's.
pub async fn letters(pool: &PgPool, filter: &LetterFilter) -> Result<Value, sqlx::Error> {
    let limit = filter.limit.unwrap_or(50).clamp(1, MAX_LETTERS);
    let mut count = QueryBuilder::new("SELECT count(*) FROM dead_letters AS d WHERE true");
    filter.push(&mut count);
    let total: i64 = count.build_query_scalar().fetch_one(pool).await?;
    let mut query = QueryBuilder::new("SELECT to_jsonb(l) FROM (SELECT ");
    query.push(LETTER).push(FROM_LETTERS).push(" AND d.id > ").push_bind(filter.after.unwrap_or_default());
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

/// One letter, whole: headers, payload, history, what it waits for and what waits behind it.
///
/// # Errors
/// The database's.
pub async fn letter(pool: &PgPool, id: i64) -> Result<Option<Value>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("SELECT to_jsonb(l) FROM (SELECT d.headers, ");
    query.push(LETTER).push(FROM_LETTERS).push(" AND d.id = ").push_bind(id).push(") AS l");
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
    query.push(LETTER).push(FROM_LETTERS);
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

/// The rounds of the probe in the last minutes, thinned where there are many, and their figures, exact: rounds, missed,
/// `p50_ms` and `p99_ms` to the hit, `write_p50_ms` of the command alone.
///
/// # Errors
/// The database's.
pub async fn probes(pool: &PgPool, minutes: i32) -> Result<Value, sqlx::Error> {
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

/// What operators did and what the reconciler found, the newest first.
///
/// # Errors
/// The database's.
pub async fn operations(pool: &PgPool, limit: i64) -> Result<Value, sqlx::Error> {
    let operations: Vec<Value> =
        sqlx::query_scalar("SELECT to_jsonb(t) FROM (SELECT * FROM operations ORDER BY id DESC LIMIT $1) AS t")
            .bind(limit)
            .fetch_all(pool)
            .await?;
    let reconciliations: Vec<Value> =
        sqlx::query_scalar("SELECT to_jsonb(t) FROM (SELECT * FROM reconciliations ORDER BY id DESC LIMIT 20) AS t")
            .fetch_all(pool)
            .await?;
    Ok(json!({"operations": operations, "reconciliations": reconciliations}))
}

/// All shops by slug.
///
/// # Errors
/// The database's.
pub async fn tenants(pool: &PgPool) -> Result<Vec<Value>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT jsonb_build_object('id', id, 'slug', slug, 'name', name) FROM tenants ORDER BY slug LIMIT 1000",
    )
    .fetch_all(pool)
    .await
}
