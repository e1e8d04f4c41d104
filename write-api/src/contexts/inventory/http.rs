//! `/v1/variants/{id}/stock` and `/v1/stock/bulk`.

use super::{
    commands::{Stock, StockRequest},
    domain::command::{Movement, parse_movement},
};
use crate::{
    contexts::catalog::port::VariantRef,
    http::{
        answer::CommandAnswer,
        bulk::{BulkAnswer, BulkCommand, BulkParameters},
        extract::{Command, PathId},
        headers::{IdempotencyHeader, TenantHeaders, VersionHeader},
        json,
        problem::ApiError,
    },
    pipeline::{App, Expected, Rejection, command::CarriedOut},
};
use access::{Permission, Routes, Rule};
use axum::{extract::State, response::Response};
use schemas::{events::inventory::AdjustmentReason, ids::VariantId};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

const STAFF: Rule = Rule::Staff(Permission::InventoryWrite);

/// The routes of this slice.
pub(super) fn routes() -> Routes<App> {
    Routes::default().allow(STAFF, routes!(receive)).allow(STAFF, routes!(adjust)).allow(STAFF, routes!(bulk))
}

/// Goods that arrived.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceiveInput {
    /// The place, such as `main`.
    location: String,
    /// Pieces, above zero.
    quantity: i64,
}

/// A correction.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AdjustInput {
    /// The place, such as `main`.
    location: String,
    /// Pieces to add, or below zero to take away.
    quantity: i64,
    /// Why: `count`, `damaged`, `lost`, `found`, `returned` or `other`.
    #[schema(value_type = String)]
    reason: AdjustmentReason,
    /// In your own words.
    note: Option<String>,
}

/// A line of a bulk write of stock.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StockLineInput {
    /// The variant by SKU; this or `variant_id`.
    sku: Option<String>,
    /// The variant by id; this or `sku`.
    #[schema(value_type = Option<schemas::Uuid>)]
    variant_id: Option<VariantId>,
    /// The place, such as `main`.
    location: String,
    /// What shall happen; `set` may be repeated without harm.
    op: StockOp,
    /// Pieces: that arrived, to add or take away, or that are there.
    quantity: i64,
    /// Why: `count`, `damaged`, `lost`, `found`, `returned` or `other`; needed for `adjust`, `count` for
    /// `set` if absent.
    #[schema(value_type = Option<String>)]
    reason: Option<AdjustmentReason>,
    /// In your own words.
    note: Option<String>,
}

/// What shall happen to a level.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum StockOp {
    Receive,
    Adjust,
    Set,
}

impl StockLineInput {
    fn read(self) -> Result<StockRequest, Rejection> {
        let variant = VariantRef::parse(self.sku, self.variant_id)?;
        let movement = match (self.op, self.reason) {
            (StockOp::Receive, _) => Movement::Receive(self.quantity),
            (StockOp::Adjust, Some(reason)) => Movement::Adjust(self.quantity, reason, self.note),
            (StockOp::Adjust, None) => {
                return Err(Rejection::invalid_at("/reason", "an adjustment needs a reason"));
            }
            (StockOp::Set, reason) => {
                Movement::Set(self.quantity, reason.unwrap_or(AdjustmentReason::Count), self.note)
            }
        };
        request(variant, Expected::Any, &self.location, movement)
    }
}

/// Movements add up in any order, so they need no version; one that is sent is checked.
fn request(
    variant: VariantRef,
    expected: Expected,
    location: &str,
    movement: Movement,
) -> Result<StockRequest, Rejection> {
    let (location, movement) = parse_movement(location, movement).map_err(Rejection::invalid)?;
    Ok(StockRequest { variant, expected, location, movement })
}

/// Receive goods
///
/// Send an Idempotency-Key, so that a repeated request does not count twice. If-Match is optional.
#[utoipa::path(
    post, path = "/v1/variants/{id}/stock/receive", tag = "stock",
    params(("id" = schemas::Uuid, Path, description = "The variant"), TenantHeaders, VersionHeader, IdempotencyHeader),
    request_body = ReceiveInput,
    responses((status = 201, description = "First stock of this variant", body = CommandAnswer), (status = 200, description = "Received", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "quota_exceeded"])))
)]
pub(super) async fn receive(
    State(app): State<App>,
    PathId(id): PathId,
    command: Command<ReceiveInput>,
) -> Result<CarriedOut, ApiError> {
    let movement = Movement::Receive(command.body.quantity);
    let variant = VariantRef::Id(VariantId(id));
    let request = request(variant, command.expected.or_any(), &command.body.location, movement)?;
    Ok(app.command::<Stock>(&command.scope, command.key.as_ref(), request).await?)
}

/// Correct a level
///
/// Send an Idempotency-Key, so that a repeated request does not count twice. If-Match is optional.
#[utoipa::path(
    post, path = "/v1/variants/{id}/stock/adjust", tag = "stock",
    params(("id" = schemas::Uuid, Path, description = "The variant"), TenantHeaders, VersionHeader, IdempotencyHeader),
    request_body = AdjustInput, responses((status = 200, description = "Adjusted", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "insufficient_stock", "quota_exceeded"])))
)]
pub(super) async fn adjust(
    State(app): State<App>,
    PathId(id): PathId,
    command: Command<AdjustInput>,
) -> Result<CarriedOut, ApiError> {
    let AdjustInput { location, quantity, reason, note } = command.body;
    let variant = VariantRef::Id(VariantId(id));
    let request = request(variant, command.expected.or_any(), &location, Movement::Adjust(quantity, reason, note))?;
    Ok(app.command::<Stock>(&command.scope, command.key.as_ref(), request).await?)
}

/// Write stock in bulk
#[utoipa::path(
    post, path = "/v1/stock/bulk", tag = "stock", params(TenantHeaders, IdempotencyHeader, BulkParameters),
    request_body(content = StockLineInput, content_type = "application/x-ndjson"),
    responses((status = 200, description = "A line per line, then the summary", body = BulkAnswer, content_type = "application/x-ndjson"))
)]
pub(super) async fn bulk(command: BulkCommand) -> Response {
    command.start::<Stock>(|text, _| json::read::<StockLineInput>(text)?.read())
}
