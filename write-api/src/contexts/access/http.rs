//! `/v1/keys`, and what query-api tells of them.

use super::{
    commands::{self, KeyRequest, Keys},
    domain::{KeyCommand, NewKey, Traces},
};
use crate::{
    http::{
        answer::{CommandAnswer, EXAMPLE_ID},
        extract::{self, BareCommand, Command, PathId},
        headers::{IdempotencyHeader, TenantHeaders, VersionHeader},
        json,
        problem::ApiError,
    },
    pipeline::{App, Expected, Rejection, command::CarriedOut},
};
use ::access::{Routes, Rule, key, scoped};
use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use schemas::{Timestamp, contexts::Context, events::access::KeyKind, ids::TenantId, token::Token};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Keys whose use is noted at once.
const MOST_USED: usize = 1_000;

/// The routes of this slice.
pub(super) fn routes() -> Routes<App> {
    Routes::default()
        .allow(Rule::Owner, routes!(create))
        .allow(Rule::Owner, routes!(revoke))
        .allow(Rule::Admin, routes!(note_used))
}

/// A key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyInput {
    /// What people call it, 1 to 100 characters.
    name: String,
    /// What it is for.
    kind: KeyKind,
    /// Of a staff key: what it may do, such as `catalog.write`.
    #[serde(default)]
    permissions: Vec<String>,
    /// From when on it is none any more; never, if absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// A key that was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!(CreatedKey::example())))]
pub(super) struct CreatedKey {
    /// Its id, to revoke it by.
    id: schemas::Uuid,
    /// The key itself, shown this once. Absent in the answer to a repeated request.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Its version.
    version: u64,
    /// The consistency token, for reads that must see this write.
    token: String,
}

impl CreatedKey {
    /// As the OpenAPI document shows it.
    fn example() -> Self {
        let (id, version) = (EXAMPLE_ID, 1);
        let token = Token::of(Context::Access, id, version).to_string();
        Self { id, key: Some(key::text(KeyKind::Search, [0; 32])), version, token }
    }
}

/// Make a key
///
/// The key is shown this once, and kept nowhere. A request that is repeated with its Idempotency-Key gets the same
/// id, but not the key again; revoke what you could not read, and make another one.
#[utoipa::path(
    post, path = "/v1/keys", tag = "access", params(TenantHeaders, IdempotencyHeader), request_body = KeyInput,
    responses((status = 201, description = "Made", body = CreatedKey)),
    extensions(("x-problems" = json!(["validation_failed"])))
)]
pub(super) async fn create(State(app): State<App>, command: Command<KeyInput>) -> Result<Response, ApiError> {
    let KeyInput { name, kind, permissions, expires_at } = command.body;
    let (id, text) = (app.clock.id(), key::text(kind, app.clock.secret()));
    let asked = NewKey { name, kind, permissions, expires_at };
    let created = asked.grant(id, traces(kind, &text), command.scope.now).map_err(Rejection::invalid)?;
    let request = KeyRequest { id, expected: Expected::Any, command: KeyCommand::Create(created) };
    let carried = app.command::<Keys>(&command.scope, command.key.as_ref(), request).await?;
    let (shown, id, version) = ((!carried.replayed).then_some(text), carried.done.id, carried.done.version);
    let token = carried.token().to_string();
    // Status and headers are those of every command.
    let (parts, _) = carried.into_response().into_parts();
    let body = Json(CreatedKey { id, key: shown, version, token }).into_response().into_body();
    let mut response = Response::from_parts(parts, body);
    response.headers_mut().remove(axum::http::header::CONTENT_LENGTH);
    Ok(response)
}

/// What is kept of a key.
fn traces(kind: KeyKind, text: &str) -> Traces {
    Traces {
        hint: key::hint(text).to_owned(),
        digest: hex::encode(key::digest(text)),
        signing_key: (kind == KeyKind::Search).then(|| hex::encode(scoped::signing_key(text))),
    }
}

/// A key that was used.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UsedKey {
    /// Whose it is.
    tenant_id: schemas::Uuid,
    /// Its id.
    key_id: schemas::Uuid,
}

/// Keys that were used.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UsedInput {
    /// At most 1000.
    #[schema(max_items = 1000)]
    keys: Vec<UsedKey>,
}

/// Note that keys were used today
///
/// As query-api tells it, which writes nothing itself. A key that is none is passed over.
#[utoipa::path(
    post, path = "/v1/keys/used", tag = "access", request_body = UsedInput,
    responses((status = 204, description = "Noted")),
    extensions(("x-problems" = json!(["validation_failed"])))
)]
pub(super) async fn note_used(State(app): State<App>, request: Request) -> Result<StatusCode, ApiError> {
    let UsedInput { keys } = json::read(&extract::read_body(request.into_body()).await?)?;
    if keys.len() > MOST_USED {
        return Err(Rejection::invalid_at("/keys", format!("at most {MOST_USED} are taken")).into());
    }
    let used: Vec<_> = keys.into_iter().map(|key| (TenantId(key.tenant_id), key.key_id)).collect();
    commands::note_used(&app, &used).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Revoke a key
///
/// It is none any more within 5 seconds, on every node.
#[utoipa::path(
    delete, path = "/v1/keys/{id}", tag = "access",
    params(("id" = schemas::Uuid, Path, description = "The key's id"), TenantHeaders, VersionHeader, IdempotencyHeader),
    responses((status = 200, description = "Revoked, or was revoked before", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found"])))
)]
pub(super) async fn revoke(
    State(app): State<App>,
    PathId(id): PathId,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    let request = KeyRequest { id, expected: command.expected.or_any(), command: KeyCommand::Revoke };
    Ok(app.command::<Keys>(&command.scope, command.key.as_ref(), request).await?)
}
