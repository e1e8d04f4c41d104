//! `/v1/settings/tax-zones/{name}`.

use crate::{
    http::{
        answer::CommandAnswer,
        extract::{BareCommand, Command},
        headers::{IdempotencyHeader, TenantHeaders, VersionHeader},
        named::{NameParameter, PathName},
        problem::ApiError,
    },
    pipeline::{App, command::CarriedOut},
};
use axum::extract::State;
use schemas::events::settings::TaxZone;

/// Define a tax zone
///
/// 1 to 500 areas, which no other zone has, and at most 50 taxes; a shop has at most 250 zones. Creates it, or replaces it as a whole; If-Match is needed when it is there already.
#[utoipa::path(
    put, path = "/v1/settings/tax-zones/{name}", tag = "settings",
    params(NameParameter, TenantHeaders, VersionHeader, IdempotencyHeader), request_body = TaxZone,
    responses((status = 201, description = "Created", body = CommandAnswer), (status = 200, description = "Replaced or unchanged", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "version_required", "quota_exceeded", "too_many_settings", "tax_area_taken"])))
)]
pub(super) async fn define(
    State(app): State<App>,
    PathName(name): PathName,
    command: Command<TaxZone>,
) -> Result<CarriedOut, ApiError> {
    super::define(&app, name, command).await
}

/// Remove a tax zone
#[utoipa::path(
    delete, path = "/v1/settings/tax-zones/{name}", tag = "settings",
    params(NameParameter, TenantHeaders, VersionHeader, IdempotencyHeader),
    responses((status = 200, description = "Removed", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "version_required"])))
)]
pub(super) async fn remove(
    State(app): State<App>,
    PathName(name): PathName,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    super::remove::<TaxZone>(&app, name, command).await
}
