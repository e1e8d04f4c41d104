//! `/v1/tenants` and `/v1/origins`.

mod quotas;

use super::{
    commands::{TenantRequest, Tenants},
    domain::{self, OpenTenant, TenantCommand},
};
use crate::{
    http::{
        answer::CommandAnswer,
        extract::{self, Command},
        headers::{IdempotencyHeader, TenantHeaders, VersionHeader},
        json,
        problem::ApiError,
    },
    pipeline::{App, Expected, Rejection, command::CarriedOut},
};
use access::{
    Routes, Rule,
    shop::{self, FoundTenant, Named, TenantName},
};
use axum::{
    body::Body,
    extract::{Path, Query, Request, State},
    http::request::Parts,
};
use schemas::ids::TenantId;
use serde::Deserialize;
use std::collections::HashMap;
use utoipa::ToSchema;
use utoipa_axum::routes;

/// The routes of this slice.
pub(super) fn routes() -> Routes<App> {
    Routes::default()
        .allow(Rule::Admin, routes!(open))
        .allow(Rule::Admin, routes!(suspend))
        .allow(Rule::Admin, routes!(resume))
        .allow(Rule::Owner, routes!(set_origins))
        .allow(Rule::Admin, routes!(delete_tenant))
        .allow(Rule::Admin, routes!(quotas::set_quotas, quotas::show_quotas))
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
            let found = app.tenants.find(&app.database, &TenantName::Slug(slug.clone())).await?;
            found.map(|found| found.id) != Some(*named)
        }
    };
    if contradicts {
        return Err(shop::conflict(&slug).into());
    }
    let id = TenantId(app.clock.id());
    let command = OpenTenant::parse(id, &slug, input.name).map_err(Rejection::invalid)?;
    let scope = app.scope(id, extract::context(&parts, &app), extract::audited(&parts)?);
    let shop = TenantName::Slug(slug);
    let request = TenantRequest { shop, expected: Expected::Any, command: TenantCommand::Open(command) };
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

/// Delete a tenant
///
/// Only a suspended one. From then on it is there for nobody, and its data go, keys first: nothing of them comes back. Its slug is
/// free again once they are gone. What happened to the tenant itself and what staff did stays on record.
#[utoipa::path(
    delete, path = "/v1/tenants/{slug}", tag = "tenants",
    params(
        ("slug" = String, Path, description = "The tenant's slug"),
        ("confirm" = String, Query, description = "The slug once more, so that none is deleted by a slip")
    ),
    responses((status = 200, description = "Deleted; its data go", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "status_conflict", "tenant_not_found"])))
)]
pub(super) async fn delete_tenant(
    State(app): State<App>,
    Path(slug): Path<String>,
    request: Request<Body>,
) -> Result<CarriedOut, ApiError> {
    let (parts, _) = request.into_parts();
    let parameters = Query::<HashMap<String, String>>::try_from_uri(&parts.uri)
        .map_err(|error| ApiError::unreadable("query", error.to_string()))?;
    if parameters.get("confirm") != Some(&slug) {
        return Err(Rejection::invalid_at("confirm", "the slug of the tenant is expected once more").into());
    }
    change(&app, &parts, slug, TenantCommand::Delete).await
}

/// Changes a shop that is there.
async fn change(app: &App, parts: &Parts, slug: String, command: TenantCommand) -> Result<CarriedOut, ApiError> {
    let shop = TenantName::Slug(slug.clone());
    let found = app.tenants.find(&app.database, &shop).await?;
    let FoundTenant { id, .. } = found.ok_or_else(|| Rejection::from(domain::Rejection::Missing))?;
    let scope = app.scope(id, extract::context(parts, app), extract::audited(parts)?);
    let request = TenantRequest { shop, expected: Expected::Any, command };
    let carried = app.command::<Tenants>(&scope, None, request).await?;
    app.tenants.forget(&slug, id).await;
    Ok(carried)
}

/// The origins of a shop.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OriginsInput {
    /// At most 50, each as browsers send it, such as `https://shop.example`. Without any, reads are answered for pages of
    /// every origin, and commands for those of none.
    #[schema(max_items = 50)]
    origins: Vec<String>,
}

/// Say which pages may read answers
///
/// Browsers show an answer to a page of another host only if the answer names the page's origin (CORS). Within 5 seconds
/// the answers to this shop's keys, and at its host, name these origins and no others, on every node.
#[utoipa::path(
    put, path = "/v1/origins", tag = "tenants", params(TenantHeaders, VersionHeader, IdempotencyHeader),
    request_body = OriginsInput,
    responses((status = 200, description = "Set, or were so before", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed"])))
)]
pub(super) async fn set_origins(
    State(app): State<App>,
    command: Command<OriginsInput>,
) -> Result<CarriedOut, ApiError> {
    let origins = domain::origins(command.body.origins).map_err(Rejection::invalid)?;
    let (shop, expected) = (TenantName::Id(command.scope.tenant), command.expected.or_any());
    let request = TenantRequest { shop, expected, command: TenantCommand::SetOrigins(origins) };
    Ok(app.command::<Tenants>(&command.scope, command.key.as_ref(), request).await?)
}
