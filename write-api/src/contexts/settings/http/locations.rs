//! `/v1/settings/locations/{name}`.

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
use schemas::events::settings::Location;

/// Define a location
///
/// A shop has at most 250 locations. Creates it, or replaces it as a whole; If-Match is needed when it is there already.
#[utoipa::path(
    put, path = "/v1/settings/locations/{name}", tag = "settings",
    params(NameParameter, TenantHeaders, VersionHeader, IdempotencyHeader), request_body = Location,
    responses((status = 201, description = "Created", body = CommandAnswer), (status = 200, description = "Replaced or unchanged", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "version_required", "quota_exceeded", "too_many_settings"])))
)]
pub(super) async fn define(
    State(app): State<App>,
    PathName(name): PathName,
    command: Command<Location>,
) -> Result<CarriedOut, ApiError> {
    super::define(&app, name, command).await
}

/// Remove a location
#[utoipa::path(
    delete, path = "/v1/settings/locations/{name}", tag = "settings",
    params(NameParameter, TenantHeaders, VersionHeader, IdempotencyHeader),
    responses((status = 200, description = "Removed", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "version_required"])))
)]
pub(super) async fn remove(
    State(app): State<App>,
    PathName(name): PathName,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    super::remove::<Location>(&app, name, command).await
}
