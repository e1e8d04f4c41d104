//! `/v1/accounts`, `/v1/guests`, `/v1/sessions`, `/v1/password-resets`, `/v1/me`, `/v1/invitations`, `/v1/users/{id}`, `/v1/roles/{slug}`,
//! `/v1/token-keys/{id}` and `/v1/identity-providers/{slug}`.

mod accounts;
mod erasure;
mod guests;
mod identities;
mod identity_providers;
mod invitations;
mod me;
mod oidc;
mod passwords;
mod roles;
mod second_factor;
mod sessions;
mod token_keys;

use super::{commands::refused::Refused, domain::Email};
use crate::{
    http::problem::ApiError,
    pipeline::{App, Rejection},
};
use ::access::{Caller, Customer, Permission, Routes, Rule};
use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use schemas::problem::{Code, Problem};
use serde::Serialize;
use service::http::Peer;
use std::net::IpAddr;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// The routes of this slice.
pub(super) fn routes() -> Routes<App> {
    Routes::default()
        .allow(Rule::Shopper, routes!(accounts::sign_up))
        .allow(Rule::Shopper, routes!(accounts::verify))
        .allow(Rule::Shopper, routes!(guests::become_guest))
        .allow(Rule::Named, routes!(sessions::sign_in))
        .allow(Rule::Named, routes!(sessions::refresh))
        .allow(Rule::Customer, routes!(sessions::sign_out))
        .allow(Rule::Customer, routes!(sessions::sign_out_everywhere))
        .allow(Rule::Named, routes!(passwords::ask_reset))
        .allow(Rule::Named, routes!(passwords::reset))
        .allow(Rule::Customer, routes!(passwords::change))
        .allow(Rule::Customer, routes!(me::read))
        .allow(Rule::Customer, routes!(me::update_profile))
        .allow(Rule::Customer, routes!(me::ask_email))
        .allow(Rule::Customer, routes!(me::add_address))
        .allow(Rule::Customer, routes!(me::save_address, me::remove_address))
        .allow(Rule::Customer, routes!(second_factor::enrol))
        .allow(Rule::Customer, routes!(second_factor::confirm))
        .allow(Rule::Customer, routes!(second_factor::disable))
        .allow(Rule::Customer, routes!(second_factor::renew))
        .allow(Rule::Owner, routes!(second_factor::reset))
        .allow(Rule::Owner, routes!(invitations::invite))
        .allow(Rule::Named, routes!(invitations::accept))
        .allow(Rule::Owner, routes!(roles::define, roles::remove))
        .allow(Rule::Staff(Permission::AccountsWrite), routes!(roles::set_groups))
        .allow(Rule::Owner, routes!(roles::grant, roles::revoke))
        .allow(Rule::Customer, routes!(erasure::erase_me))
        .allow(Rule::Staff(Permission::AccountsErase), routes!(erasure::erase))
        .allow(Rule::Owner, routes!(token_keys::revoke))
        .allow(Rule::Owner, routes!(identity_providers::set, identity_providers::remove))
        .allow(Rule::Shopper, routes!(oidc::begin))
        .allow(Rule::Shopper, routes!(oidc::complete))
        .allow(Rule::Customer, routes!(identities::link))
        .allow(Rule::Customer, routes!(identities::unlink))
}

/// Who has signed in, and where they call from.
pub(super) struct SignedIn {
    pub(super) customer: Customer,
    pub(super) address: Option<IpAddr>,
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let customer = parts.extensions.get().and_then(Caller::person);
        let customer = customer.ok_or_else(|| Problem::new(Code::Unauthorized))?;
        let From(address) = From::from_request_parts(parts, app).await?;
        Ok(Self { customer, address })
    }
}

/// Whether an administrator of the installation calls.
pub(super) struct ByAdmin(pub(super) bool);

impl FromRequestParts<App> for ByAdmin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        Ok(Self(parts.extensions.get().is_some_and(Caller::is_admin)))
    }
}

/// Where somebody calls from, if it is known.
pub(super) struct From(pub(super) Option<IpAddr>);

impl FromRequestParts<App> for From {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        Ok(Self(parts.extensions.get().map(|Peer(address)| *address)))
    }
}

/// Reads an address, or says what is wrong with it.
fn email(text: &str) -> Result<Email, ApiError> {
    Ok(Email::parse(text).map_err(|reason| Rejection::invalid_at("/email", reason))?)
}

/// The request was taken. What comes of it is told by mail.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!(Accepted::MAILED)))]
pub(super) struct Accepted {
    /// The same whether the address has an account or not.
    detail: &'static str,
}

impl Accepted {
    const MAILED: Self = Self { detail: "a mail to the address says what comes next" };
}

/// 202, and nothing that tells whether the address has an account.
fn mailed() -> Response {
    (StatusCode::ACCEPTED, Json(Accepted::MAILED)).into_response()
}

/// Secrets are for the one who asked: nothing between may keep the answer.
fn unkept(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let seconds = match self {
            Self::Error(error) => return ApiError::from(error).into_response(),
            Self::TooEarly(seconds) => seconds,
        };
        let detail = format!("too many attempts have failed; the next may be made in {seconds} seconds");
        let mut response = ApiError::new(Problem::new(Code::TooManyAttempts).detail(detail)).into_response();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        response
    }
}

impl std::convert::From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        Self::Error(Rejection::of(error.into_problem()).into())
    }
}
