//! `/v1/tenants`.

use super::{commands::Tenants, domain::OpenTenant, port::TenantName};
use crate::{
    http::{answer::CommandAnswer, extract, json, problem::ApiError},
    pipeline::{App, Rejection, command::CarriedOut},
};
use access::{Routes, Rule};
use axum::{
    body::Body,
    extract::{Path, Request, State},
};
use schemas::ids::TenantId;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// The routes of this slice.
pub(super) fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Admin, routes!(open))
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
    let contradicts = match extract::tenant_name(&parts)? {
        None => false,
        Some(TenantName::Slug(named)) => named != slug,
        Some(TenantName::Id(named)) => {
            app.tenants.find(&app.pool, TenantName::Slug(slug.clone())).await? != Some(TenantId(named))
        }
    };
    if contradicts {
        return Err(extract::tenant_conflict(&slug));
    }
    let id = TenantId(app.clock.id());
    let command = OpenTenant::parse(id, &slug, input.name).map_err(Rejection::invalid)?;
    let scope = app.scope(id, extract::context(&parts, &app));
    Ok(app.command::<Tenants>(&scope, None, command).await?)
}
