//! Signing up, and codes that come back.

use super::{Accepted, email, mailed};
use crate::{
    contexts::accounts::commands::{sign_up as up, verify as codes},
    http::{answer::EXAMPLE_ID, extract::Command, headers::TenantHeaders, problem::ApiError},
    pipeline::App,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use schemas::{contexts::Context, token::Token};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An account to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct SignUpInput {
    /// The e-mail address, in ASCII.
    email: String,
    /// At least 8 characters, and none that are easily guessed.
    password: String,
    /// The page of the shop that takes the code: it is called with the parameter `code`. Its origin has to be one that the
    /// shop has named with `PUT /v1/origins`. Without a page, the mail tells the code itself.
    return_to: Option<String>,
}

/// Sign up
///
/// Whether the address has an account is told to its owner alone, by mail. The account can be used once the code from the
/// mail has come back.
#[utoipa::path(
    post, path = "/v1/accounts", tag = "accounts", params(TenantHeaders), request_body = SignUpInput,
    responses((status = 202, description = "A mail is on its way", body = Accepted)),
    extensions(("x-problems" = json!(["validation_failed"])))
)]
pub(in super::super) async fn sign_up(
    State(app): State<App>,
    command: Command<SignUpInput>,
) -> Result<Response, ApiError> {
    let SignUpInput { email: address, password, return_to } = command.body;
    up::sign_up(&app, &command.scope, &email(&address)?, &password, return_to.as_deref()).await?;
    Ok(mailed())
}

/// A code from a mail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct CodeInput {
    /// The code; it works once.
    code: String,
}

/// An account whose address is proved.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!(Verified::of(EXAMPLE_ID, 2))))]
pub(in super::super) struct Verified {
    /// The account's id.
    user_id: schemas::Uuid,
    /// Its version.
    version: u64,
    /// The consistency token, for reads that must see this write.
    token: String,
}

impl Verified {
    pub(super) fn of(user_id: schemas::Uuid, version: u64) -> Self {
        Self { user_id, version, token: Token::of(Context::Accounts, user_id, version).to_string() }
    }
}

/// Prove an e-mail address
///
/// By the code that was sent to it: of a new account, or of one whose address shall be another.
#[utoipa::path(
    post, path = "/v1/accounts/verify", tag = "accounts", params(TenantHeaders), request_body = CodeInput,
    responses((status = 200, description = "The address is proved", body = Verified)),
    extensions(("x-problems" = json!(["validation_failed"])))
)]
pub(in super::super) async fn verify(
    State(app): State<App>,
    command: Command<CodeInput>,
) -> Result<Response, ApiError> {
    let (user_id, version) = codes::verify(&app, &command.scope, &command.body.code).await?;
    Ok(Json(Verified::of(user_id, version)).into_response())
}
