//! Every event of a product, as the write side recorded it, and where in Kafka each stands.

use super::answer::Answered;
use crate::{context::CommandContext, failure::Failure};
use access::{Routes, Rule};
use axum::{
    Json,
    extract::{Path, State},
    routing::get,
};
use schemas::{Timestamp, Uuid, topics::Context};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};

/// Most events of a context that are shown, the newest of them.
const MOST: i64 = 200;

/// An event of a product.
#[derive(Debug, Serialize, sqlx::FromRow)]
struct Recorded {
    context: String,
    event_id: Uuid,
    event_type: String,
    aggregate: String,
    aggregate_id: Uuid,
    version: i64,
    occurred_at: Timestamp,
    correlation_id: String,
    payload: Value,
    /// None until the broker has acknowledged it.
    published_at: Option<Timestamp>,
    /// Where it stands; none for what was published before this was kept.
    topic: Option<String>,
    partition: Option<i32>,
    record_offset: Option<i64>,
}

#[derive(Clone)]
struct History {
    context: CommandContext,
    write: Option<PgPool>,
}

pub fn routes(context: CommandContext, write: Option<PgPool>) -> Routes<()> {
    Routes::default()
        .allow_unlisted(Rule::Admin, "/v1/operations/history/{key}", get(of))
        .with_state(History { context, write })
}

/// `events` of the product with a Kafka key (`tenant:product`), oldest first, whether older ones were `left_out`, and whether
/// that is since they are `archived`.
async fn of(State(history): State<History>, Path(key): Path<String>) -> Result<Json<Value>, Answered> {
    let Some(write) = &history.write else {
        return Err(Failure::refused("no_write_database", "`reindex serve` runs without --write-database-url").into());
    };
    let ids = key.split_once(':').and_then(|(tenant, product)| Some((tenant.parse().ok()?, product.parse().ok()?)));
    let Some((tenant, product)): Option<(Uuid, Uuid)> = ids else {
        return Err(Failure::refused(
            "invalid_key",
            format!("`{key}`: a tenant's and a product's id are expected, with a colon between"),
        )
        .into());
    };
    let known: Vec<(String, Uuid)> =
        sqlx::query_as("SELECT context, aggregate_id FROM sources WHERE tenant_id = $1 AND product_id = $2")
            .bind(tenant)
            .bind(product)
            .fetch_all(&history.context.pool)
            .await
            .map_err(Failure::from)?;
    let (mut events, mut left_out, mut archived) = (Vec::new(), false, false);
    for context in Context::ALL {
        // The product itself is known by its id before anything was applied. Where nothing is told of it, nothing is found.
        let seen: Vec<Uuid> = known.iter().filter(|(of, _)| of == context.name()).map(|(_, id)| *id).collect();
        let aggregates: Vec<Uuid> = seen.iter().copied().chain([product]).collect();
        let sql = format!(
            "SELECT '{context}' AS context, event_id, event_type, aggregate, aggregate_id, version, occurred_at, correlation_id,
                    payload::jsonb AS payload, published_at, topic, partition, record_offset
             FROM {context}.outbox WHERE tenant_id = $1 AND aggregate_id = ANY($2) ORDER BY id DESC LIMIT {MOST}"
        );
        let of_context: Vec<Recorded> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(tenant)
            .bind(aggregates)
            .fetch_all(write)
            .await
            .map_err(Failure::from)?;
        let is_cut = i64::try_from(of_context.len()).is_ok_and(|found| found >= MOST);
        left_out |= is_cut;
        archived |= !is_cut && lacks_the_first(&seen, &of_context);
        events.extend(of_context);
    }
    events.sort_by_key(|event| (event.occurred_at, event.context.clone(), event.version));
    Ok(Json(json!({"events": events, "left_out": left_out || archived, "archived": archived})))
}

/// Whether the first event of an aggregate that the views know is not in the outbox any more.
fn lacks_the_first(aggregates: &[Uuid], events: &[Recorded]) -> bool {
    let first = |id: &Uuid| events.iter().filter(|event| event.aggregate_id == *id).map(|event| event.version).min();
    aggregates.iter().any(|id| first(id) != Some(1))
}
