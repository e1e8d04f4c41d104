//! `/v1/tenants`.

use super::{
    commands::{TenantRequest, Tenants},
    domain::{self, OpenTenant, TenantCommand},
};
use crate::{
    http::{answer::CommandAnswer, extract, json, problem::ApiError},
    pipeline::{App, Rejection, command::CarriedOut},
};
use access::{
    Routes, Rule,
    shop::{self, FoundTenant, Named, TenantName},
};
use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::request::Parts,
};
use schemas::ids::TenantId;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// The routes of this slice.
pub(super) fn routes() -> Routes<App> {
    Routes::default()
        .allow(Rule::Admin, routes!(open))
        .allow(Rule::Admin, routes!(suspend))
        .allow(Rule::Admin, routes!(resume))
}

/// A shop to open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TenantInput {
    /// The name people read, 1 to 200 characters.
    name: String,
}

/// Open a tenant
///
/// A tenant that is open already is left as it is, whatever name is sent.
#[utoipa::path(
    put, path = "/v1/tenants/{slug}", tag = "tenants", params(("slug" = String, Path, description = "1 to 63 lower-case letters, digits, hyphens")),
    request_body = TenantInput,
    responses((status = 201, description = "Opened", body = CommandAnswer), (status = 200, description = "Was open", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "tenant_required", "tenant_conflict"])))
)]
pub(super) async fn open(
    State(app): State<App>,
    Path(slug): Path<String>,
    request: Request<Body>,
) -> Result<CarriedOut, ApiError> {
    let (parts, body) = request.into_parts();
    let input: TenantInput = json::read(&extract::read_body(body).await?)?;
    let contradicts = match Named::of(&parts.headers, None)?.header() {
        None => false,
        Some(TenantName::Slug(named)) => *named != slug,
        Some(TenantName::Id(named)) => {
            let found = app.tenants.find(&app.pool, &TenantName::Slug(slug.clone())).await?;
            found.map(|found| found.id) != Some(*named)
        }
    };
    if contradicts {
        return Err(shop::conflict(&slug).into());
    }
    let id = TenantId(app.clock.id());
    let command = OpenTenant::parse(id, &slug, input.name).map_err(Rejection::invalid)?;
    let scope = app.scope(id, extract::context(&parts, &app), extract::audited(&parts)?);
    let request = TenantRequest { slug, command: TenantCommand::Open(command) };
    Ok(app.command::<Tenants>(&scope, None, request).await?)
}

/// Why a shop is suspended.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SuspensionInput {
    /// What people of the shop are told, 1 to 500 characters.
    reason: String,
}

/// Suspend a tenant
///
/// Within 5 seconds it is closed to everybody but administrators, on every node. Nothing of it is lost.
#[utoipa::path(
    post, path = "/v1/tenants/{slug}/suspend", tag = "tenants", params(("slug" = String, Path, description = "The tenant's slug")),
    request_body = SuspensionInput,
    responses((status = 200, description = "Suspended, or was before", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "tenant_not_found"])))
)]
pub(super) async fn suspend(
    State(app): State<App>,
    Path(slug): Path<String>,
    request: Request<Body>,
) -> Result<CarriedOut, ApiError> {
    let (parts, body) = request.into_parts();
    let input: SuspensionInput = json::read(&extract::read_body(body).await?)?;
    let reason = domain::reason(input.reason).map_err(Rejection::invalid)?;
    change(&app, &parts, slug, TenantCommand::Suspend(reason)).await
}

/// Resume a tenant
#[utoipa::path(
    post, path = "/v1/tenants/{slug}/resume", tag = "tenants", params(("slug" = String, Path, description = "The tenant's slug")),
    responses((status = 200, description = "Open again, or was open", body = CommandAnswer)),
    extensions(("x-problems" = json!(["tenant_not_found"])))
)]
pub(super) async fn resume(
    State(app): State<App>,
    Path(slug): Path<String>,
    request: Request<Body>,
) -> Result<CarriedOut, ApiError> {
    change(&app, &request.into_parts().0, slug, TenantCommand::Resume).await
}

/// Changes a shop that is there.
async fn change(app: &App, parts: &Parts, slug: String, command: TenantCommand) -> Result<CarriedOut, ApiError> {
    let found = app.tenants.find(&app.pool, &TenantName::Slug(slug.clone())).await?;
    let FoundTenant { id, .. } = found.ok_or_else(|| Rejection::from(domain::Rejection::Missing))?;
    let scope = app.scope(id, extract::context(parts, app), extract::audited(parts)?);
    Ok(app.command::<Tenants>(&scope, None, TenantRequest { slug, command }).await?)
}
