//! The keys of a shop, as its owners see them. None is shown: what is kept of one is its digest.

use crate::{
    app::App,
    example,
    problem::Refusal,
    read_model::{Expected, Given, Isolation, ReadModel},
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
};
use access::{Routes, Rule};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use schemas::{NaiveDate, Timestamp, Uuid};
use serde::Serialize;
use utoipa_axum::routes;

/// The keys of a shop.
pub const READ: ReadModel =
    ReadModel { routes, isolation: &[Isolation::of("/v1/keys", "/v1/keys", Expected::Empty("/keys")).given(MADE)] };

const MADE: &[Given] =
    &[Given { method: "POST", path: "/v1/keys", body: r#"{"name": "Storefront", "kind": "search"}"# }];

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Owner, routes!(all))
}

/// The keys of a shop.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!(KeyList { keys: vec![ShownKey::example()] })))]
pub struct KeyList {
    /// The newest thousand, the newest first.
    keys: Vec<ShownKey>,
}

/// A key, as far as it is shown.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct ShownKey {
    /// Its id, to revoke it by.
    id: Uuid,
    /// What people call it.
    name: String,
    /// search, staff or owner.
    kind: String,
    /// Of a staff key: what it may do.
    permissions: Vec<String>,
    /// Its first characters.
    hint: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// From when on it is none any more; null for never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// The last day on which it was used, in UTC; null if it was not. It is told within a minute or so, once a day.
    #[schema(value_type = Option<String>, format = Date)]
    last_used: Option<NaiveDate>,
    /// When it was revoked; null if it was not.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

impl ShownKey {
    fn example() -> Self {
        Self {
            id: example::id(21),
            name: "Storefront".to_owned(),
            kind: "search".to_owned(),
            permissions: Vec::new(),
            hint: "souk_search_3kTM".to_owned(),
            created_at: example::moment(),
            expires_at: None,
            last_used: Some(example::moment().date_naive()),
            revoked_at: None,
        }
    }
}

/// The keys of the shop, those that were revoked included.
#[utoipa::path(get, path = "/v1/keys", tag = "access", params(ReadHeaders, ReadParameters),
    responses((status = 200, description = "The newest first", body = KeyList)))]
pub async fn all(State(app): State<App>, context: ReadContext) -> Result<Response, Refusal> {
    let verdict = context.wait(&app).await?;
    let keys: Vec<ShownKey> = sqlx::query_as(
        "SELECT key_id AS id, name, kind, permissions, hint, created_at, expires_at, last_used, revoked_at
         FROM keys WHERE tenant_id = $1 ORDER BY created_at DESC, key_id DESC LIMIT 1000",
    )
    .bind(context.tenant.uuid())
    .fetch_all(&app.pool)
    .await?;
    Ok(mark(Json(KeyList { keys }).into_response(), &verdict))
}
