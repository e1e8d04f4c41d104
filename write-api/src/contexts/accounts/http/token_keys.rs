//! Keys that access tokens are signed with.

use super::me::carried_out;
use crate::{
    contexts::accounts::commands::signing::RevokeKey,
    http::{
        answer::CommandAnswer,
        extract::{BareCommand, PathId},
        headers::TenantHeaders,
        problem::ApiError,
    },
    pipeline::{App, command::CarriedOut},
};
use axum::extract::State;

/// Revoke a key of access tokens
///
/// The tokens that it has signed are none within 5 seconds, on every node; sessions go on by their refresh tokens, with
/// another key. For a key that somebody may have a copy of: keys follow each other by themselves.
#[utoipa::path(
    delete, path = "/v1/token-keys/{id}", tag = "accounts",
    params(("id" = schemas::Uuid, Path, description = "The key's id, the `kid` of its tokens"), TenantHeaders),
    responses((status = 200, description = "Revoked, or was revoked before", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found"])))
)]
pub(in super::super) async fn revoke(
    State(app): State<App>,
    PathId(id): PathId,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    Ok(carried_out(app.procedure(&command.scope, &RevokeKey { kid: id }).await?))
}
