//! `/v1/roles/{slug}`, `/v1/users/{id}/roles/{role}` and `/v1/users/{id}/groups`.

use super::{ByAdmin, me::carried_out};
use crate::{
    contexts::accounts::{
        commands::roles::{self, Grant, Grouping},
        domain::{NewRole, user},
    },
    http::{
        answer::CommandAnswer,
        extract::{self, BareCommand, Command, PathId},
        headers::{TenantHeaders, VersionHeader},
        problem::ApiError,
    },
    pipeline::{App, Rejection, command::CarriedOut},
};
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::ToSchema;

/// A role to define.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RoleInput {
    /// What people call it, 1 to 100 characters.
    name: String,
    /// What who has it may do, such as `catalog.write`; at least one.
    #[schema(min_items = 1)]
    permissions: Vec<String>,
}

/// Groups of customers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct GroupsInput {
    /// All groups that the account is in, by slug; at most 20.
    #[schema(max_items = 20)]
    groups: Vec<String>,
}

/// Say which groups of customers somebody is in
///
/// Such as `trade` or `vip`. The list takes the place of the one before. A group is there as soon as somebody is in it.
#[utoipa::path(
    put, path = "/v1/users/{id}/groups", tag = "accounts",
    params(("id" = schemas::Uuid, Path, description = "The account's id"), TenantHeaders, VersionHeader),
    request_body = GroupsInput,
    responses((status = 200, description = "Set, or was so before", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "not_found"])))
)]
pub(in super::super) async fn set_groups(
    State(app): State<App>,
    PathId(user): PathId,
    command: Command<GroupsInput>,
) -> Result<CarriedOut, ApiError> {
    let groups = user::groups(command.body.groups).map_err(Rejection::invalid)?;
    let grouping = Grouping { user, groups, expected: command.expected.or_any() };
    Ok(carried_out(app.procedure(&command.scope, &grouping).await?))
}

/// Define a role
///
/// Who has it may do other things within 5 seconds, on every node. Every shop has `staff`, `owner` and `admin`: they are not
/// defined.
#[utoipa::path(
    put, path = "/v1/roles/{slug}", tag = "accounts",
    params(("slug" = String, Path, description = "Lower-case letters, digits, hyphens"), TenantHeaders, VersionHeader),
    request_body = RoleInput,
    responses((status = 201, description = "Defined", body = CommandAnswer), (status = 200, description = "Changed, or was so before", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "too_many_roles"])))
)]
pub(in super::super) async fn define(
    State(app): State<App>,
    Path(slug): Path<String>,
    command: Command<RoleInput>,
) -> Result<CarriedOut, ApiError> {
    let RoleInput { name, permissions } = command.body;
    let role = NewRole { slug, name, permissions };
    Ok(carried_out(roles::define(&app, &command.scope, command.expected.or_any(), role).await?))
}

/// Remove a role
///
/// Who has it may do nothing by it any more. Another one that is called the same is not theirs.
#[utoipa::path(
    delete, path = "/v1/roles/{slug}", tag = "accounts",
    params(("slug" = String, Path, description = "The role's slug"), TenantHeaders, VersionHeader),
    responses((status = 200, description = "Removed", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found"])))
)]
pub(in super::super) async fn remove(
    State(app): State<App>,
    Path(slug): Path<String>,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    Ok(carried_out(roles::remove(&app, &command.scope, command.expected.or_any(), slug).await?))
}

/// Grant a role
///
/// It counts within 5 seconds, on every node, in sessions that a one-time code was shown in. `admin` is granted by
/// administrators of the installation alone.
#[utoipa::path(
    put, path = "/v1/users/{id}/roles/{role}", tag = "accounts",
    params(("id" = schemas::Uuid, Path, description = "The account's id"),
        ("role" = String, Path, description = "`staff`, `owner`, `admin`, or the slug of a role of the shop"),
        TenantHeaders, VersionHeader),
    responses((status = 200, description = "Granted, or was before", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found"])))
)]
pub(in super::super) async fn grant(
    State(app): State<App>,
    Path(whose): Path<(String, String)>,
    by: ByAdmin,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    change(&app, whose, by, command, false).await
}

/// Revoke a role
///
/// It counts no longer within 5 seconds, on every node.
#[utoipa::path(
    delete, path = "/v1/users/{id}/roles/{role}", tag = "accounts",
    params(("id" = schemas::Uuid, Path, description = "The account's id"),
        ("role" = String, Path, description = "`staff`, `owner`, `admin`, or the slug of a role of the shop"),
        TenantHeaders, VersionHeader),
    responses((status = 200, description = "Revoked, or was not granted", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found"])))
)]
pub(in super::super) async fn revoke(
    State(app): State<App>,
    Path(whose): Path<(String, String)>,
    by: ByAdmin,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    change(&app, whose, by, command, true).await
}

async fn change(
    app: &App,
    (id, role): (String, String),
    ByAdmin(by_admin): ByAdmin,
    command: BareCommand,
    revoke: bool,
) -> Result<CarriedOut, ApiError> {
    let grant = Grant { user: extract::path_id(&id)?, role, expected: command.expected.or_any(), by_admin, revoke };
    Ok(carried_out(app.procedure(&command.scope, &grant).await?))
}
