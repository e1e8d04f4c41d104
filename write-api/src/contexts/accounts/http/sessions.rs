//! Signing in and out.

use super::{From, SignedIn, email, unkept};
use crate::{
    contexts::accounts::commands::{
        refused::Refused,
        sessions as out,
        sign_in::{self as within, Credentials, Tokens},
    },
    http::{
        answer::EXAMPLE_ID,
        extract::{BareCommand, Command},
        headers::TenantHeaders,
        problem::ApiError,
    },
    pipeline::App,
};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct SignInInput {
    /// The e-mail address.
    email: String,
    /// The password.
    password: String,
    /// Where the account asks for one: the code that the authenticator shows, or a recovery code.
    code: Option<String>,
}

/// What somebody has who has signed in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!(SessionAnswer::example())))]
pub(in super::super) struct SessionAnswer {
    /// Sent as `Authorization: Bearer <token>`, to write-api and query-api. A JSON Web Token of the profile of RFC 9068.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds until the access token is over.
    expires_in: i64,
    /// For `POST /v1/sessions/refresh`. It works once; whoever sends it a second time ends the session.
    refresh_token: String,
    /// The account's id.
    user_id: schemas::Uuid,
    /// The session's id.
    session_id: schemas::Uuid,
    /// The consistency token, for reads that must see a new session.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl SessionAnswer {
    /// As the OpenAPI document shows it.
    fn example() -> Self {
        Self {
            access_token: "eyJ0eXAiOiJhdCtqd3QiLCJraWQiOiIuLi4iLCJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl".to_owned(),
            token_type: "Bearer",
            expires_in: 600,
            refresh_token: "souk_refresh_3kTMd9sYyq0mW5u8rZ1xKcVb7nPjHfGaEoLtQiUeXwS".to_owned(),
            user_id: EXAMPLE_ID,
            session_id: EXAMPLE_ID,
            token: None,
        }
    }

    pub(super) fn of(tokens: Tokens) -> Self {
        let Tokens { access_token, expires_in, refresh_token, user, session, token } = tokens;
        let token = token.map(|token| token.to_string());
        Self {
            access_token,
            token_type: "Bearer",
            expires_in,
            refresh_token,
            user_id: user,
            session_id: session,
            token,
        }
    }
}

/// Sign in
///
/// By address and password, and a one-time code where the account asks for it: `second_factor_required` says so once the
/// password is right. An address that nobody has is answered like a wrong password, and as slowly. Who fails often
/// from one address of the network has to wait, longer each time; nobody else does.
#[utoipa::path(
    post, path = "/v1/sessions", tag = "accounts", params(TenantHeaders), request_body = SignInInput,
    responses((status = 201, description = "Signed in", body = SessionAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "sign_in_failed", "second_factor_required", "second_factor_wrong", "email_not_verified",
        "too_many_attempts"])))
)]
pub(in super::super) async fn sign_in(
    State(app): State<App>,
    From(address): From,
    command: Command<SignInInput>,
) -> Result<Response, Refused> {
    let SignInInput { email: text, password, code } = command.body;
    let email = email(&text)?;
    let credentials = Credentials { email: &email, password: &password, code: code.as_deref() };
    let tokens = within::sign_in(&app, &command.scope, credentials, address).await?;
    Ok(unkept((StatusCode::CREATED, Json(SessionAnswer::of(tokens))).into_response()))
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RefreshInput {
    /// The one that came last.
    refresh_token: String,
}

/// Refresh a session
///
/// Another access token, and another refresh token instead of this one.
#[utoipa::path(
    post, path = "/v1/sessions/refresh", tag = "accounts", params(TenantHeaders), request_body = RefreshInput,
    responses((status = 200, description = "Signed in as before", body = SessionAnswer)),
    extensions(("x-problems" = json!(["session_ended"])))
)]
pub(in super::super) async fn refresh(
    State(app): State<App>,
    command: Command<RefreshInput>,
) -> Result<Response, ApiError> {
    let tokens = within::refresh(&app, &command.scope, &command.body.refresh_token).await?;
    Ok(unkept(Json(SessionAnswer::of(tokens)).into_response()))
}

/// Sign out
///
/// The session has ended within 5 seconds, on every node.
#[utoipa::path(
    delete, path = "/v1/sessions/current", tag = "accounts", params(TenantHeaders),
    responses((status = 204, description = "Signed out"))
)]
pub(in super::super) async fn sign_out(
    State(app): State<App>,
    signed_in: SignedIn,
    command: BareCommand,
) -> Result<StatusCode, ApiError> {
    out::sign_out(&app, &command.scope, signed_in.customer, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sign out everywhere
///
/// All sessions of the account have ended within 5 seconds, on every node.
#[utoipa::path(
    delete, path = "/v1/sessions", tag = "accounts", params(TenantHeaders),
    responses((status = 204, description = "Signed out"))
)]
pub(in super::super) async fn sign_out_everywhere(
    State(app): State<App>,
    signed_in: SignedIn,
    command: BareCommand,
) -> Result<StatusCode, ApiError> {
    out::sign_out(&app, &command.scope, signed_in.customer, true).await?;
    Ok(StatusCode::NO_CONTENT)
}
