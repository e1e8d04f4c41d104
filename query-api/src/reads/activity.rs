//! What staff and administrators did in a shop, the newest first.

use crate::{
    app::App,
    example,
    problem::Refusal,
    read_model::{Expected, Isolation, ReadModel},
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
};
use access::{Permission, Routes, Rule};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use schemas::{
    Uuid,
    audit::{Actor, BEGINNING, Change, Entry},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa_axum::routes;

/// Entries on a page, where none is asked for and at most.
const USUAL: i64 = 50;
const MOST: i64 = 500;

/// What was done.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[Isolation::of("/v1/activity", "/v1/activity?of={product}", Expected::Empty("/entries"))],
};

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Staff(Permission::AuditRead), routes!(all))
}

/// Which of it.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ActivityParameters {
    /// What was done to this aggregate, by its id
    of: Option<Uuid>,
    /// What was done with this key, or by this account
    key: Option<Uuid>,
    /// What was done before the entry of this number; `next` of the page before
    before: Option<i64>,
    /// Entries at most, up to 500; 50 if absent
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// What was done, the newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(ActivityPage { entries: vec![ShownEntry::example()], next: None })))]
pub struct ActivityPage {
    /// The entries.
    entries: Vec<ShownEntry>,
    /// The `before` of the next page; null if this is the last.
    next: Option<i64>,
}

/// An entry of the audit.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ShownEntry {
    /// Its number in the shop's trail; the first is 1.
    number: i64,
    /// What was done, by whom.
    #[schema(value_type = Entry)]
    entry: Value,
    /// The digest of the entry before, in hexadecimal digits.
    previous: String,
    /// SHA-256 of the bytes of `previous` and the entry's text as it was recorded, in hexadecimal digits.
    digest: String,
}

impl ShownEntry {
    fn example() -> Self {
        let change = Change {
            context: "catalog".to_owned(),
            aggregate: "product".to_owned(),
            id: example::id(1),
            before: 0,
            after: 1,
            events: vec!["souk.catalog.product.created.v1".to_owned()],
            payloads: BEGINNING.to_owned(),
            fields: Vec::new(),
        };
        let entry = Entry {
            at: example::moment(),
            actor: Actor::Staff { key: Some(example::id(21)), user: None },
            address: Some("192.0.2.7".to_owned()),
            reason: Some("Spring range".to_owned()),
            correlation_id: "0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b".to_owned(),
            changes: vec![change],
        };
        let entry = serde_json::to_value(entry).unwrap_or_default();
        Self { number: 1, entry, previous: BEGINNING.to_owned(), digest: BEGINNING.to_owned() }
    }
}

/// What staff and administrators did.
///
/// An entry is written in the transaction of what it tells. It is here about a second after that.
#[utoipa::path(get, path = "/v1/activity", tag = "access", params(ReadHeaders, ReadParameters, ActivityParameters),
    responses((status = 200, description = "The newest first", body = ActivityPage)))]
pub async fn all(
    State(app): State<App>,
    context: ReadContext,
    asked: Result<Query<ActivityParameters>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(asked) = asked?;
    let limit = asked.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Refusal::parameter("limit", format!("1 to {MOST} are expected")));
    }
    let verdict = context.wait(&app).await?;
    let rows: Vec<(i64, String, String, String)> = sqlx::query_as(
        "SELECT number, entry, previous, digest FROM activity
         WHERE tenant_id = $1 AND ($2::uuid IS NULL OR changed @> ARRAY[$2]) AND ($3::uuid IS NULL OR key_id = $3)
           AND ($4::bigint IS NULL OR number < $4)
         ORDER BY number DESC LIMIT $5",
    )
    .bind(context.tenant.uuid())
    .bind(asked.of)
    .bind(asked.key)
    .bind(asked.before)
    .bind(limit)
    .fetch_all(&app.pool)
    .await?;
    let next = rows.last().map(|(number, ..)| *number).filter(|_| i64::try_from(rows.len()) == Ok(limit));
    let shown = |(number, entry, previous, digest): (i64, String, String, String)| {
        Ok(ShownEntry { number, entry: serde_json::from_str(&entry)?, previous, digest })
    };
    let entries = rows.into_iter().map(shown).collect::<Result<_, serde_json::Error>>()?;
    Ok(mark(Json(ActivityPage { entries, next }).into_response(), &verdict))
}
