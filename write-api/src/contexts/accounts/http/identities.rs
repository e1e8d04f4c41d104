//! What identity providers know of somebody, linked to their account.

use super::{SignedIn, me::carried_out};
use crate::{
    contexts::accounts::commands::{
        identities::{self, Unlink},
        oidc::Return,
        refused::Refused,
        sign_in,
    },
    http::{
        answer::CommandAnswer,
        extract::{BareCommand, Command},
        headers::TenantHeaders,
        problem::ApiError,
    },
    pipeline::{App, Rejection, command::CarriedOut},
};
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::ToSchema;

/// What somebody comes back with, and that it is they who want it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct LinkInput {
    /// The password of the account. Who has none sets one by `POST /v1/password-resets`.
    password: String,
    /// The parameter `code`.
    code: String,
    /// The parameter `state`, of a way that this account has begun; it works once, whatever comes of it.
    state: String,
    /// The parameter `iss` (RFC 9207), if there is one.
    iss: Option<String>,
}

/// Link one's account to an identity provider
///
/// From here on, whoever the provider says to be the same person signs in to it. Another identity at the same provider takes
/// the place of the one before.
#[utoipa::path(
    post, path = "/v1/me/identities", tag = "accounts", params(TenantHeaders), request_body = LinkInput,
    responses((status = 200, description = "Linked", body = CommandAnswer)),
    extensions(("x-problems" = json!(
        ["validation_failed", "wrong_password", "too_many_attempts", "identity_refused", "identity_taken", "not_found",
         "provider_unavailable"]
    )))
)]
pub(in super::super) async fn link(
    State(app): State<App>,
    SignedIn { customer, address }: SignedIn,
    command: Command<LinkInput>,
) -> Result<CarriedOut, Refused> {
    let LinkInput { password, code, state, iss } = command.body;
    let parts = app.accounts.parts().map_err(Rejection::of)?;
    sign_in::prove(&app, &command.scope, &parts, customer.user, &password, address).await?;
    Ok(carried_out(identities::link(&app, &command.scope, customer, &Return { code, state, iss }).await?))
}

/// Unlink one's account from an identity provider
#[utoipa::path(
    delete, path = "/v1/me/identities/{provider}", tag = "accounts",
    params(("provider" = String, Path, description = "The provider's slug"), TenantHeaders),
    responses((status = 200, description = "Unlinked, or was not linked", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "only_way_in"])))
)]
pub(in super::super) async fn unlink(
    State(app): State<App>,
    SignedIn { customer, .. }: SignedIn,
    Path(provider): Path<String>,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    Ok(carried_out(app.procedure(&command.scope, &Unlink { customer, provider }).await?))
}
