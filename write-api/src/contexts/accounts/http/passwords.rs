//! Another password.

use super::{Accepted, SignedIn, email, mailed};
use crate::{
    contexts::accounts::commands::{password as passwords, refused::Refused, sign_in},
    http::{extract::Command, headers::TenantHeaders, problem::ApiError},
    pipeline::{App, Rejection},
};
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use utoipa::ToSchema;

/// Who has forgotten the password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct AskResetInput {
    /// The e-mail address.
    email: String,
    /// The page of the shop that takes the code, as of `POST /v1/accounts`.
    return_to: Option<String>,
}

/// Ask for another password
///
/// Whether the address has an account is told to its owner alone, by mail.
#[utoipa::path(
    post, path = "/v1/password-resets", tag = "accounts", params(TenantHeaders), request_body = AskResetInput,
    responses((status = 202, description = "A mail is on its way", body = Accepted)),
    extensions(("x-problems" = json!(["validation_failed"])))
)]
pub(in super::super) async fn ask_reset(
    State(app): State<App>,
    command: Command<AskResetInput>,
) -> Result<Response, ApiError> {
    let AskResetInput { email: address, return_to } = command.body;
    passwords::ask(&app, &command.scope, &email(&address)?, return_to.as_deref()).await?;
    Ok(mailed())
}

/// Another password, by a code from a mail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ResetInput {
    /// The code; it works once.
    code: String,
    /// At least 8 characters, and none that are easily guessed.
    password: String,
}

/// Set another password by a code
///
/// All sessions of the account end.
#[utoipa::path(
    post, path = "/v1/password-resets/finish", tag = "accounts", params(TenantHeaders), request_body = ResetInput,
    responses((status = 204, description = "Set")),
    extensions(("x-problems" = json!(["validation_failed", "not_found"])))
)]
pub(in super::super) async fn reset(
    State(app): State<App>,
    command: Command<ResetInput>,
) -> Result<StatusCode, ApiError> {
    let ResetInput { code, password } = command.body;
    passwords::reset(&app, &command.scope, &code, &password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Another password, by the one before.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ChangeInput {
    /// The password until now.
    current: String,
    /// At least 8 characters, and none that are easily guessed.
    password: String,
}

/// Set another password
///
/// The other sessions of the account end.
#[utoipa::path(
    put, path = "/v1/me/password", tag = "accounts", params(TenantHeaders), request_body = ChangeInput,
    responses((status = 204, description = "Set")),
    extensions(("x-problems" = json!(["validation_failed", "wrong_password", "too_many_attempts", "not_found"])))
)]
pub(in super::super) async fn change(
    State(app): State<App>,
    SignedIn { customer, address }: SignedIn,
    command: Command<ChangeInput>,
) -> Result<StatusCode, Refused> {
    let ChangeInput { current, password } = command.body;
    let parts = app.accounts.parts().map_err(Rejection::of)?;
    sign_in::prove(&app, &command.scope, &parts, customer.user, &current, address).await?;
    passwords::change(&app, &command.scope, customer, &password).await?;
    Ok(StatusCode::NO_CONTENT)
}
