//! Shopping without an account.

use super::unkept;
use crate::{
    contexts::accounts::commands::guests::{self, GuestToken},
    http::{answer::EXAMPLE_ID, extract::BareCommand, headers::TenantHeaders, problem::ApiError},
    pipeline::App,
};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// What somebody has who shops without an account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!(GuestAnswer::example())))]
pub(in super::super) struct GuestAnswer {
    /// Sent as `Authorization: Bearer <token>`, to write-api and query-api. Whoever has it has what is the guest's.
    guest_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds until it is over.
    expires_in: i64,
    /// The guest's id.
    guest_id: schemas::Uuid,
}

impl GuestAnswer {
    /// As the OpenAPI document shows it.
    fn example() -> Self {
        let token = "eyJ0eXAiOiJhdCtqd3QiLCJraWQiOiIuLi4iLCJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl".to_owned();
        Self::of(GuestToken { guest: EXAMPLE_ID, token, expires_in: 7_776_000 })
    }

    fn of(drawn: GuestToken) -> Self {
        let GuestToken { guest, token, expires_in } = drawn;
        Self { guest_token: token, token_type: "Bearer", expires_in, guest_id: guest }
    }
}

/// Become a guest
///
/// A token for whoever shops without an account: a cart made with it is found again with it. It is good for 90 days, and tells
/// nobody who somebody is. The first token of a shop makes the key that it is signed with: query-api knows it a moment later.
#[utoipa::path(
    post, path = "/v1/guests", tag = "accounts", params(TenantHeaders),
    responses((status = 201, description = "A guest's token", body = GuestAnswer))
)]
pub(in super::super) async fn become_guest(State(app): State<App>, command: BareCommand) -> Result<Response, ApiError> {
    let drawn = guests::draw(&app, &command.scope).await?;
    Ok(unkept((StatusCode::CREATED, Json(GuestAnswer::of(drawn))).into_response()))
}
