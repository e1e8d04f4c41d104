//! `/v1/settings/policy`: what holds for the whole shop. There is one, so that it needs no name in its address.

use crate::{
    domain::Name,
    http::{
        answer::CommandAnswer,
        extract::{BareCommand, Command},
        headers::{IdempotencyHeader, TenantHeaders, VersionHeader},
        problem::ApiError,
    },
    pipeline::{App, Rejection, command::CarriedOut},
};
use axum::extract::State;
use schemas::{events::settings::ShopPolicy, settings::POLICY};

fn name() -> Result<Name, ApiError> {
    Ok(Name::parse(POLICY).map_err(|reason| Rejection::invalid_at("name", reason))?)
}

/// Define the policy of the shop
///
/// Time zone, payments, deadlines and how prices are meant. Replaces it as a whole; If-Match is needed when it is there already.
#[utoipa::path(
    put, path = "/v1/settings/policy", tag = "settings",
    params(TenantHeaders, VersionHeader, IdempotencyHeader), request_body = ShopPolicy,
    responses((status = 201, description = "Created", body = CommandAnswer), (status = 200, description = "Replaced or unchanged", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "version_required", "quota_exceeded"])))
)]
pub(super) async fn define(State(app): State<App>, command: Command<ShopPolicy>) -> Result<CarriedOut, ApiError> {
    super::define(&app, name()?, command).await
}

/// Remove the policy of the shop
///
/// What holds in a shop that has decided nothing holds again.
#[utoipa::path(
    delete, path = "/v1/settings/policy", tag = "settings",
    params(TenantHeaders, VersionHeader, IdempotencyHeader),
    responses((status = 200, description = "Removed", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "version_required"])))
)]
pub(super) async fn remove(State(app): State<App>, command: BareCommand) -> Result<CarriedOut, ApiError> {
    super::remove::<ShopPolicy>(&app, name()?, command).await
}
