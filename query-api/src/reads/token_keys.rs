//! The public keys of a shop, by which others believe the access tokens of its shoppers.

use crate::{
    app::App,
    problem::Refusal,
    read_model::{Expected, Isolation, ReadModel},
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
};
use access::{Routes, Rule};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use schemas::{Utc, Uuid};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa_axum::routes;

/// The public keys of a shop. The case of the accounts goes before, in which one is made.
pub const READ: ReadModel =
    ReadModel { routes, isolation: &[Isolation::of("/v1/jwks", "/v1/jwks", Expected::Empty("/keys"))] };

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Search, routes!(all))
}

/// A JSON Web Key Set (RFC 7517).
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(examples(json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
    "kid": "0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})))]
pub struct KeySet {
    /// Those of which a token may be signed, the newest first.
    #[schema(value_type = Vec<Object>)]
    keys: Vec<Map<String, Value>>,
}

/// The public keys (JWKS) of the shop's access tokens
///
/// A token's `kid` names one of them. `iss` is `urn:souk:shop:<id of the shop>`, `aud` is `souk`.
#[utoipa::path(get, path = "/v1/jwks", tag = "accounts", params(ReadHeaders, ReadParameters),
    responses((status = 200, description = "The keys", body = KeySet)))]
pub async fn all(State(app): State<App>, context: ReadContext) -> Result<Response, Refusal> {
    let verdict = context.wait(&app).await?;
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "SELECT key_id, public FROM token_keys WHERE tenant_id = $1 AND valid_until > $2 AND revoked_at IS NULL
         ORDER BY signs_from DESC, key_id DESC LIMIT 100",
    )
    .bind(context.tenant.uuid())
    .bind(Utc::now())
    .fetch_all(&app.pool)
    .await?;
    let keys = rows.into_iter().filter_map(|(id, public)| with_id(id, &public)).collect();
    Ok(mark(Json(KeySet { keys }).into_response(), &verdict))
}

fn with_id(id: Uuid, public: &str) -> Option<Map<String, Value>> {
    let mut key: Map<String, Value> = serde_json::from_str(public).ok()?;
    key.insert("kid".to_owned(), Value::String(id.to_string()));
    Some(key)
}
