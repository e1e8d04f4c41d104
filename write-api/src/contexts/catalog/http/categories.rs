//! `/v1/categories`.

use crate::{
    clock::Clock,
    contexts::catalog::{
        commands::categories::{Categories, CategoryRequest, Op},
        domain::category::Content,
    },
    http::{
        answer::CommandAnswer,
        bulk::{BulkAnswer, BulkCommand, BulkParameters},
        extract::{BareCommand, Command, PathId},
        headers::{IdempotencyHeader, TenantHeaders, VersionHeader},
        json,
        problem::ApiError,
    },
    pipeline::{App, Expected, Rejection, command::CarriedOut},
};
use axum::{extract::State, response::Response};
use schemas::{events::catalog::CategoryContent, ids::CategoryId};
use serde::Deserialize;
use utoipa::ToSchema;

/// A category, alone or as a line of a bulk write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CategoryInput {
    /// The id in the system it comes from, unique in the tenant; needed in bulk.
    external_id: Option<String>,
    /// The category above, by id.
    #[schema(value_type = Option<schemas::Uuid>)]
    parent_id: Option<CategoryId>,
    /// The category above, by external id or slug.
    parent: Option<String>,
    /// The name people read.
    name: String,
    /// The name in addresses, unique in the tenant; one is made of name and external id if absent.
    slug: Option<String>,
    /// Order among siblings, low first.
    #[serde(default)]
    position: i32,
}

impl CategoryInput {
    fn request(self, op: Op, id: CategoryId, expected: Expected) -> Result<CategoryRequest, Rejection> {
        if self.parent.is_some() && self.parent_id.is_some() {
            return Err(Rejection::invalid_at("/parent", "name the parent in one way only"));
        }
        let Self { external_id, parent_id, parent, name, slug, position } = self;
        let content = CategoryContent { external_id, parent_id, slug: slug.unwrap_or_default(), name, position };
        let content = Content::parse(content).map_err(Rejection::invalid)?;
        Ok(CategoryRequest { op, expected, id, content: Some(content), parent })
    }

    fn bulk(self, clock: &dyn Clock) -> Result<CategoryRequest, Rejection> {
        if self.external_id.is_none() {
            let detail = "a line is matched by its external id, so it needs one";
            return Err(Rejection::invalid_at("/external_id", detail));
        }
        self.request(Op::Upsert, CategoryId(clock.id()), Expected::Any)
    }
}

/// Create a category
#[utoipa::path(
    post, path = "/v1/categories", tag = "categories", params(TenantHeaders, IdempotencyHeader),
    request_body = CategoryInput, responses((status = 201, description = "Created", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "slug_taken", "external_id_taken", "category_tree", "quota_exceeded"])))
)]
pub(super) async fn create(State(app): State<App>, command: Command<CategoryInput>) -> Result<CarriedOut, ApiError> {
    let request = command.body.request(Op::Create, CategoryId(app.clock.id()), Expected::Any)?;
    Ok(app.command::<Categories>(&command.scope, command.key.as_ref(), request).await?)
}

/// Rename, move or reorder a category
///
/// Slug and external id stay if they are not sent.
#[utoipa::path(
    put, path = "/v1/categories/{id}", tag = "categories",
    params(("id" = schemas::Uuid, Path, description = "The category"), TenantHeaders, VersionHeader, IdempotencyHeader),
    request_body = CategoryInput, responses((status = 200, description = "Changed or unchanged", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "version_required", "slug_taken", "external_id_taken", "category_tree", "quota_exceeded"])))
)]
pub(super) async fn change(
    State(app): State<App>,
    PathId(id): PathId,
    command: Command<CategoryInput>,
) -> Result<CarriedOut, ApiError> {
    let request = command.body.request(Op::Change, CategoryId(id), command.expected)?;
    Ok(app.command::<Categories>(&command.scope, command.key.as_ref(), request).await?)
}

/// Delete a category that has none below it
#[utoipa::path(
    delete, path = "/v1/categories/{id}", tag = "categories",
    params(("id" = schemas::Uuid, Path, description = "The category"), TenantHeaders, VersionHeader, IdempotencyHeader),
    responses((status = 200, description = "Deleted", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "version_required", "category_tree"])))
)]
pub(super) async fn delete(
    State(app): State<App>,
    PathId(id): PathId,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    let (expected, id) = (command.expected, CategoryId(id));
    let request = CategoryRequest { op: Op::Delete, expected, id, content: None, parent: None };
    Ok(app.command::<Categories>(&command.scope, command.key.as_ref(), request).await?)
}

/// Write categories in bulk
///
/// Lines are matched by `external_id`; a parent must come before its children.
#[utoipa::path(
    post, path = "/v1/categories/bulk", tag = "categories", params(TenantHeaders, IdempotencyHeader, BulkParameters),
    request_body(content = CategoryInput, content_type = "application/x-ndjson"),
    responses((status = 200, description = "A line per line, then the summary", body = BulkAnswer, content_type = "application/x-ndjson"))
)]
pub(super) async fn bulk(command: BulkCommand) -> Response {
    command.start::<Categories>(|text, clock: &dyn Clock| json::read::<CategoryInput>(text)?.bulk(clock))
}
