//! `/v1/products`.

mod input;

use crate::{
    clock::Clock,
    contexts::catalog::commands::products::{Op, ProductRequest, Products},
    http::{
        answer::CommandAnswer,
        bulk::{BulkAnswer, BulkCommand, BulkParameters},
        extract::{BareCommand, Command, PathId},
        headers::{IdempotencyHeader, TenantHeaders, VersionHeader},
        json,
        problem::ApiError,
    },
    pipeline::{App, Expected, command::CarriedOut},
};
use axum::{extract::State, response::Response};
use input::{ProductInput, ScheduleInput};
use schemas::ids::ProductId;

/// Create a product
///
/// It is a draft unless `publish` is true.
#[utoipa::path(
    post, path = "/v1/products", tag = "products", params(TenantHeaders, IdempotencyHeader), request_body = ProductInput,
    responses((status = 201, description = "Created", body = CommandAnswer)),
    extensions(("x-problems" = json!(["validation_failed", "slug_taken", "sku_taken", "external_id_taken", "too_many_attributes", "quota_exceeded"])))
)]
pub(super) async fn create(State(app): State<App>, command: Command<ProductInput>) -> Result<CarriedOut, ApiError> {
    let request = command.body.single(Op::Create, None, Expected::Any, app.clock.as_ref())?;
    Ok(app.command::<Products>(&command.scope, command.key.as_ref(), request).await?)
}

/// Replace a product's content
///
/// Slug and external id stay if they are not sent; a variant without an id is the one of its SKU.
#[utoipa::path(
    put, path = "/v1/products/{id}", tag = "products",
    params(("id" = schemas::Uuid, Path, description = "The product"), TenantHeaders, VersionHeader, IdempotencyHeader),
    request_body = ProductInput, responses((status = 200, description = "Changed or unchanged", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "version_required", "slug_taken", "sku_taken", "external_id_taken", "too_many_attributes"])))
)]
pub(super) async fn change(
    State(app): State<App>,
    PathId(id): PathId,
    command: Command<ProductInput>,
) -> Result<CarriedOut, ApiError> {
    let request = command.body.single(Op::Change, Some(ProductId(id)), command.expected, app.clock.as_ref())?;
    Ok(app.command::<Products>(&command.scope, command.key.as_ref(), request).await?)
}

/// Show a product to shoppers
#[utoipa::path(
    post, path = "/v1/products/{id}/publish", tag = "products",
    params(("id" = schemas::Uuid, Path, description = "The product"), TenantHeaders, VersionHeader, IdempotencyHeader),
    responses((status = 200, description = "Published", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "version_required"])))
)]
pub(super) async fn publish(State(app): State<App>, id: PathId, command: BareCommand) -> Result<CarriedOut, ApiError> {
    bare(&app, Op::Publish, id, command).await
}

/// Hide a product from shoppers
#[utoipa::path(
    post, path = "/v1/products/{id}/archive", tag = "products",
    params(("id" = schemas::Uuid, Path, description = "The product"), TenantHeaders, VersionHeader, IdempotencyHeader),
    responses((status = 200, description = "Archived", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "version_required", "status_conflict"])))
)]
pub(super) async fn archive(State(app): State<App>, id: PathId, command: BareCommand) -> Result<CarriedOut, ApiError> {
    bare(&app, Op::Archive, id, command).await
}

/// Have a product published and archived by itself
///
/// In place of what was said before; an empty object takes it back. What is due happens within some seconds. Where both
/// times have passed, the product is archived and not published.
#[utoipa::path(
    put, path = "/v1/products/{id}/schedule", tag = "products",
    params(("id" = schemas::Uuid, Path, description = "The product"), TenantHeaders, VersionHeader, IdempotencyHeader),
    request_body = ScheduleInput, responses((status = 200, description = "Scheduled or unchanged", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "version_required"])))
)]
pub(super) async fn schedule(
    State(app): State<App>,
    PathId(id): PathId,
    command: Command<ScheduleInput>,
) -> Result<CarriedOut, ApiError> {
    let op = Op::Schedule(command.body.schedule()?);
    let request = ProductRequest::bare(op, ProductId(id), command.expected);
    Ok(app.command::<Products>(&command.scope, command.key.as_ref(), request).await?)
}

/// Delete a product
///
/// Its slug, SKUs and external id are free again.
#[utoipa::path(
    delete, path = "/v1/products/{id}", tag = "products",
    params(("id" = schemas::Uuid, Path, description = "The product"), TenantHeaders, VersionHeader, IdempotencyHeader),
    responses((status = 200, description = "Deleted", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "version_required"])))
)]
pub(super) async fn delete(State(app): State<App>, id: PathId, command: BareCommand) -> Result<CarriedOut, ApiError> {
    bare(&app, Op::Delete, id, command).await
}

async fn bare(app: &App, op: Op, PathId(id): PathId, command: BareCommand) -> Result<CarriedOut, ApiError> {
    let request = ProductRequest::bare(op, ProductId(id), command.expected);
    Ok(app.command::<Products>(&command.scope, command.key.as_ref(), request).await?)
}

/// Write products in bulk
///
/// A stream of JSON lines, each a product with an `op` (`upsert` if absent). Each line is answered by a
/// line; the last line is `{"summary": ...}`, or `{"problem": ...}` if the stream broke off.
#[utoipa::path(
    post, path = "/v1/products/bulk", tag = "products", params(TenantHeaders, IdempotencyHeader, BulkParameters),
    request_body(content = ProductInput, content_type = "application/x-ndjson"),
    responses((status = 200, description = "A line per line, then the summary", body = BulkAnswer, content_type = "application/x-ndjson"))
)]
pub(super) async fn bulk(command: BulkCommand) -> Response {
    command.start::<Products>(|text, clock: &dyn Clock| json::read::<ProductInput>(text)?.bulk(clock))
}
