//! The identity providers of a shop.

use super::me::carried_out;
use crate::{
    contexts::accounts::{
        commands::identity_providers::{self as providers, RemoveProvider},
        domain::NewProvider,
    },
    http::{
        answer::CommandAnswer,
        extract::{BareCommand, Command},
        headers::{TenantHeaders, VersionHeader},
        problem::ApiError,
    },
    pipeline::{App, command::CarriedOut},
};
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::ToSchema;

/// A provider by which people sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ProviderInput {
    /// For people, on the page where they sign in, 1 to 100 characters.
    name: String,
    /// Its address, as its discovery document and its ID tokens say it, by https.
    issuer: String,
    /// What the shop is called there.
    client_id: String,
    /// What the shop proves that by. It is kept sealed, and shown nowhere.
    client_secret: String,
    /// What it is asked to tell, besides `openid`; the address, unless something else is said.
    #[serde(default = "email")]
    scopes: Vec<String>,
}

fn email() -> Vec<String> {
    vec!["email".to_owned()]
}

/// Let people sign in by an identity provider
///
/// By OpenID Connect. The provider has to let people come back to each page of the shop that signs them in (its
/// `redirect_uri`).
#[utoipa::path(
    put, path = "/v1/identity-providers/{slug}", tag = "accounts",
    params(("slug" = String, Path, description = "By which requests name it"), TenantHeaders, VersionHeader),
    request_body = ProviderInput,
    responses(
        (status = 200, description = "Changed, or was so before", body = CommandAnswer),
        (status = 201, description = "Added", body = CommandAnswer)
    ),
    extensions(("x-problems" = json!(["validation_failed", "too_many_providers"])))
)]
pub(in super::super) async fn set(
    State(app): State<App>,
    Path(slug): Path<String>,
    command: Command<ProviderInput>,
) -> Result<CarriedOut, ApiError> {
    let ProviderInput { name, issuer, client_id, client_secret, scopes } = command.body;
    let new = NewProvider { slug, name, issuer, client_id, client_secret, scopes };
    Ok(carried_out(providers::set(&app, &command.scope, command.expected.or_any(), new).await?))
}

/// Let nobody sign in by an identity provider any more
///
/// Accounts of people who have signed in by it stay; a password is set by mail.
#[utoipa::path(
    delete, path = "/v1/identity-providers/{slug}", tag = "accounts",
    params(("slug" = String, Path, description = "By which requests name it"), TenantHeaders, VersionHeader),
    responses((status = 200, description = "Removed, or was removed before", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found"])))
)]
pub(in super::super) async fn remove(
    State(app): State<App>,
    Path(slug): Path<String>,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    let remove = RemoveProvider { slug, expected: command.expected.or_any() };
    Ok(carried_out(app.procedure(&command.scope, &remove).await?))
}
