//! Signing in by an identity provider.

use super::{sessions::SessionAnswer, unkept};
use crate::{
    contexts::accounts::commands::oidc::{self, Begun, Return},
    http::{extract::Command, headers::TenantHeaders, problem::ApiError},
    pipeline::App,
};
use ::access::Caller;
use axum::{
    Extension, Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// By whom somebody wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct BeginInput {
    /// The slug of the identity provider.
    provider: String,
    /// The page of the shop to come back to, which the provider has to know. Its origin has to be one that the shop has named
    /// with `PUT /v1/origins`.
    return_to: String,
}

/// Where somebody goes to say who they are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!(BegunAnswer::example())))]
pub(in super::super) struct BegunAnswer {
    /// The page of the provider, to send the browser to.
    authorization_url: String,
    /// Comes back to the page as the parameter `state`, within ten minutes. The page keeps it, and takes no other.
    state: String,
}

impl BegunAnswer {
    /// As the OpenAPI document shows it.
    fn example() -> Self {
        let state = "3kTMd9sYyq0mW5u8rZ1xKcVb7nPjHfGaEoLtQiUeXwS".to_owned();
        Self { authorization_url: format!("https://login.acme.example/authorize?state={state}"), state }
    }
}

/// Go to an identity provider
///
/// Without a session, to sign in. With the access token of a session, to link the account: then `POST /v1/me/identities` of
/// the same account takes the state, and nothing else does.
#[utoipa::path(
    post, path = "/v1/sessions/oidc", tag = "accounts", params(TenantHeaders), request_body = BeginInput,
    responses((status = 201, description = "On the way", body = BegunAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "provider_unavailable"])))
)]
pub(in super::super) async fn begin(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    command: Command<BeginInput>,
) -> Result<Response, ApiError> {
    let BeginInput { provider, return_to } = command.body;
    let user = if let Caller::Customer(customer) = caller { Some(customer.user) } else { None };
    let Begun { authorization_url, state } = oidc::begin(&app, &command.scope, &provider, &return_to, user).await?;
    let answer = BegunAnswer { authorization_url: authorization_url.into(), state };
    Ok(unkept((StatusCode::CREATED, Json(answer)).into_response()))
}

/// What somebody comes back with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ReturnInput {
    /// The parameter `code`.
    code: String,
    /// The parameter `state`; it works once, whatever comes of it.
    state: String,
    /// The parameter `iss` (RFC 9207), if there is one.
    iss: Option<String>,
}

/// Sign in by an identity provider
///
/// With what came back from there. Who is new has an account from here on, if the provider says that the e-mail address is
/// theirs. If the address has an account already, it is linked by `POST /v1/me/identities`.
#[utoipa::path(
    post, path = "/v1/sessions/oidc/complete", tag = "accounts", params(TenantHeaders), request_body = ReturnInput,
    responses((status = 201, description = "Signed in", body = SessionAnswer)),
    extensions(("x-problems" = json!(
        ["validation_failed", "identity_refused", "email_not_verified", "account_exists", "provider_unavailable"]
    )))
)]
pub(in super::super) async fn complete(
    State(app): State<App>,
    command: Command<ReturnInput>,
) -> Result<Response, ApiError> {
    let ReturnInput { code, state, iss } = command.body;
    let tokens = oidc::complete(&app, &command.scope, &Return { code, state, iss }).await?;
    Ok(unkept((StatusCode::CREATED, Json(SessionAnswer::of(tokens))).into_response()))
}
