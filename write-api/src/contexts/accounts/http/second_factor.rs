//! `/v1/me/second-factor`, `/v1/me/recovery-codes` and `/v1/users/{id}/second-factor`.

use super::{SignedIn, me::carried_out, unkept};
use crate::{
    contexts::accounts::commands::{
        refused::Refused,
        second_factor::{self as codes, What},
        sign_in,
    },
    http::{
        answer::CommandAnswer,
        extract::{BareCommand, Command, PathId},
        headers::TenantHeaders,
        problem::ApiError,
    },
    pipeline::{App, Rejection, command::CarriedOut},
    second_factor::Enrolment,
};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The password again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct EnrolInput {
    /// The password.
    password: String,
}

/// What an authenticator has to know, shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!(EnrolmentAnswer::example())))]
pub(in super::super) struct EnrolmentAnswer {
    /// The secret in base 32, to type in.
    secret: String,
    /// The same as an address, for a QR code: HMAC-SHA-1, 6 digits, 30 seconds (RFC 6238).
    uri: String,
}

impl EnrolmentAnswer {
    fn example() -> Self {
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned();
        let uri = format!("otpauth://totp/Lamps:ana%40example.com?secret={secret}&issuer=Lamps");
        Self { secret, uri }
    }
}

/// Begin to sign in with one-time codes
///
/// Gives the secret for an authenticator. Codes are asked for once one has come back by
/// `POST /v1/me/second-factor/confirm`.
#[utoipa::path(
    post, path = "/v1/me/second-factor", tag = "accounts", params(TenantHeaders), request_body = EnrolInput,
    responses((status = 201, description = "The secret", body = EnrolmentAnswer)),
    extensions(("x-problems" = json!(["wrong_password", "second_factor_conflict", "too_many_attempts", "not_found"])))
)]
pub(in super::super) async fn enrol(
    State(app): State<App>,
    SignedIn { customer, address }: SignedIn,
    command: Command<EnrolInput>,
) -> Result<Response, Refused> {
    let parts = app.accounts.parts().map_err(Rejection::of)?;
    sign_in::prove(&app, &command.scope, &parts, customer.user, &command.body.password, address).await?;
    let Enrolment { secret, uri } = codes::enrol(&app, &command.scope, customer.user).await?;
    Ok(unkept((StatusCode::CREATED, Json(EnrolmentAnswer { secret, uri })).into_response()))
}

/// A one-time code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ShownInput {
    /// The six digits that the authenticator shows. Each code works once.
    code: String,
}

/// Recovery codes, shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!(RecoveryCodes { recovery_codes: vec!["0k3tm-9sdyq".to_owned()] })))]
pub(in super::super) struct RecoveryCodes {
    /// Each works once in place of a one-time code.
    recovery_codes: Vec<String>,
}

impl RecoveryCodes {
    fn answer(recovery_codes: Vec<String>) -> Response {
        unkept(Json(Self { recovery_codes }).into_response())
    }
}

/// Sign in with one-time codes from now on
///
/// By the first code. This session counts as one that a code was shown in: its next access token says so.
#[utoipa::path(
    post, path = "/v1/me/second-factor/confirm", tag = "accounts", params(TenantHeaders), request_body = ShownInput,
    responses((status = 200, description = "Codes are asked for from now on", body = RecoveryCodes)),
    extensions(("x-problems" = json!(["second_factor_wrong", "second_factor_conflict", "too_many_attempts", "not_found"])))
)]
pub(in super::super) async fn confirm(
    State(app): State<App>,
    SignedIn { customer, address }: SignedIn,
    command: Command<ShownInput>,
) -> Result<Response, Refused> {
    let codes = codes::show(&app, &command.scope, What::Confirm, customer, address, command.body.code).await?;
    Ok(RecoveryCodes::answer(codes))
}

/// Take other recovery codes
///
/// Those that are left are none any more.
#[utoipa::path(
    post, path = "/v1/me/recovery-codes", tag = "accounts", params(TenantHeaders), request_body = ShownInput,
    responses((status = 200, description = "The new ones", body = RecoveryCodes)),
    extensions(("x-problems" = json!(["second_factor_wrong", "second_factor_conflict", "too_many_attempts", "not_found"])))
)]
pub(in super::super) async fn renew(
    State(app): State<App>,
    SignedIn { customer, address }: SignedIn,
    command: Command<ShownInput>,
) -> Result<Response, Refused> {
    let codes = codes::show(&app, &command.scope, What::Renew, customer, address, command.body.code).await?;
    Ok(RecoveryCodes::answer(codes))
}

/// The password and a one-time code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct DisableInput {
    /// The password.
    password: String,
    /// A one-time code, or a recovery code.
    code: String,
}

/// Sign in by the password alone from now on
///
/// Roles count no longer then. All sessions end.
#[utoipa::path(
    post, path = "/v1/me/second-factor/disable", tag = "accounts", params(TenantHeaders), request_body = DisableInput,
    responses((status = 204, description = "No codes are asked for any more")),
    extensions(("x-problems" = json!(["wrong_password", "second_factor_wrong", "second_factor_conflict",
        "too_many_attempts", "not_found"])))
)]
pub(in super::super) async fn disable(
    State(app): State<App>,
    SignedIn { customer, address }: SignedIn,
    command: Command<DisableInput>,
) -> Result<StatusCode, Refused> {
    let DisableInput { password, code } = command.body;
    let parts = app.accounts.parts().map_err(Rejection::of)?;
    sign_in::prove(&app, &command.scope, &parts, customer.user, &password, address).await?;
    codes::show(&app, &command.scope, What::Disable, customer, address, code).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take somebody's second factor away
///
/// For who has lost the device and the recovery codes. Their sessions end, and they are told by mail. Roles count again once
/// they have another.
#[utoipa::path(
    delete, path = "/v1/users/{id}/second-factor", tag = "accounts",
    params(("id" = schemas::Uuid, Path, description = "The account's id"), TenantHeaders),
    responses((status = 200, description = "Taken away, or there was none", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found"])))
)]
pub(in super::super) async fn reset(
    State(app): State<App>,
    PathId(id): PathId,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    Ok(carried_out(codes::reset(&app, &command.scope, id).await?))
}
