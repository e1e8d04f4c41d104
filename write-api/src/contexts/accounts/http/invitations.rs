//! `/v1/invitations`.

use super::{Accepted, ByAdmin, accounts::Verified, email, mailed, unkept};
use crate::{
    contexts::accounts::commands::invitation::{self, Invited},
    http::{extract::Command, headers::TenantHeaders, problem::ApiError},
    pipeline::App,
};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use schemas::problem::{Code, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Somebody to invite.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct InvitationInput {
    /// The e-mail address, in ASCII.
    email: String,
    /// The role that they get with it: `staff`, `owner`, `admin`, or the slug of a role of the shop. None for a shopper.
    role: Option<String>,
    /// The page that takes the code, as of `POST /v1/accounts`.
    return_to: Option<String>,
    /// Whether the code is sent by mail; true if absent. Administrators of the installation may be told it instead.
    mail: Option<bool>,
}

/// The code of an invitation that no mail was sent for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!(InvitationAnswer { code: "3kTMd9sYyq0mW5u8rZ1xKcVb7nPjHfGaEoLtQiUeXwS".to_owned() })))]
pub(in super::super) struct InvitationAnswer {
    /// For `POST /v1/invitations/accept`. It works once, within a week.
    code: String,
}

/// Invite somebody
///
/// They get a mail with a code, which works once, within a week. An address that has no account gets one with it. `admin` is
/// granted by administrators of the installation alone.
#[utoipa::path(
    post, path = "/v1/invitations", tag = "accounts", params(TenantHeaders), request_body = InvitationInput,
    responses((status = 202, description = "A mail is on its way", body = Accepted),
        (status = 201, description = "The code, for an administrator who asked for no mail", body = InvitationAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "not_found"])))
)]
pub(in super::super) async fn invite(
    State(app): State<App>,
    ByAdmin(by_admin): ByAdmin,
    command: Command<InvitationInput>,
) -> Result<Response, ApiError> {
    let InvitationInput { email: text, role, return_to, mail } = command.body;
    let (email, by_mail) = (email(&text)?, mail.unwrap_or(true));
    if !by_mail && !by_admin {
        // Whoever knows the code has proved the address.
        let detail = "administrators of the installation alone are told the code; leave `mail` out";
        return Err(Problem::new(Code::Forbidden).detail(detail).into());
    }
    let (role, return_to) = (role.as_deref(), return_to.as_deref());
    let invited = Invited { email: &email, role, return_to, by_admin, by_mail };
    Ok(match invitation::invite(&app, &command.scope, invited).await? {
        None => mailed(),
        Some(code) => unkept((StatusCode::CREATED, Json(InvitationAnswer { code })).into_response()),
    })
}

/// An invitation, as it comes back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct AcceptInput {
    /// The code; it works once.
    code: String,
    /// Who has no account yet chooses a password: at least 8 characters, and none that are easily guessed. Who has one keeps
    /// theirs.
    password: Option<String>,
}

/// Accept an invitation
///
/// The address is proved by it. The account has the role from now on.
#[utoipa::path(
    post, path = "/v1/invitations/accept", tag = "accounts", params(TenantHeaders), request_body = AcceptInput,
    responses((status = 200, description = "The account can be used", body = Verified)),
    extensions(("x-problems" = json!(["validation_failed"])))
)]
pub(in super::super) async fn accept(
    State(app): State<App>,
    command: Command<AcceptInput>,
) -> Result<Response, ApiError> {
    let AcceptInput { code, password } = command.body;
    let (user, version) = invitation::accept(&app, &command.scope, &code, password.as_deref()).await?;
    Ok(Json(Verified::of(user, version)).into_response())
}
