//! `/v1/variants/{id}/stock`, `/v1/stock/bulk` and `/v1/reservations`.

mod reservations;

use super::{
    commands::{Stock, StockChange, StockRequest},
    domain::command::{Movement, parse_movement, parse_pieces, parse_transfer},
    port::{self, Return},
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
    Routes::default()
        .allow(STAFF, routes!(receive))
        .allow(STAFF, routes!(adjust))
        .allow(STAFF, routes!(transfer))
        .allow(STAFF, routes!(take_back))
        .allow(STAFF, routes!(set_backorders))
        .allow(STAFF, routes!(bulk))
        .merge(reservations::routes())
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
    Ok(StockRequest { variant, expected, change: StockChange::Move(location, movement) })
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

/// Goods that go to another place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TransferInput {
    /// The place they are at, such as `main`.
    from: String,
    /// The place they go to.
    to: String,
    /// Pieces, above zero.
    quantity: i64,
    /// In your own words.
    note: Option<String>,
}

/// Move goods to another place
///
/// Only what can be sold is moved: what is held or committed stays. Send an Idempotency-Key, so that a repeated request does not
/// count twice. If-Match is optional.
#[utoipa::path(
    post, path = "/v1/variants/{id}/stock/transfer", tag = "stock",
    params(("id" = schemas::Uuid, Path, description = "The variant"), TenantHeaders, VersionHeader, IdempotencyHeader),
    request_body = TransferInput, responses((status = 200, description = "Moved", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "insufficient_stock"])))
)]
pub(super) async fn transfer(
    State(app): State<App>,
    PathId(id): PathId,
    command: Command<TransferInput>,
) -> Result<CarriedOut, ApiError> {
    let TransferInput { from, to, quantity, note } = command.body;
    let places = parse_transfer(&from, &to, quantity, note.as_deref()).map_err(Rejection::invalid)?;
    let change = StockChange::Transfer { from: places.0, to: places.1, quantity, note };
    let request = StockRequest { variant: VariantRef::Id(VariantId(id)), expected: command.expected.or_any(), change };
    Ok(app.command::<Stock>(&command.scope, command.key.as_ref(), request).await?)
}

/// Goods of a customer that are back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReturnInput {
    /// Drawn by you: a return is taken back once for each variant.
    return_id: schemas::Uuid,
    /// The place, such as `main`.
    location: String,
    /// Pieces that are sold again, above zero.
    quantity: i64,
}

/// Take a return back into stock
///
/// The same return changes nothing when it comes again.
#[utoipa::path(
    post, path = "/v1/variants/{id}/stock/return", tag = "stock",
    params(("id" = schemas::Uuid, Path, description = "The variant"), TenantHeaders, IdempotencyHeader),
    request_body = ReturnInput, responses((status = 200, description = "Taken back, or was so before", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed"])))
)]
pub(super) async fn take_back(
    State(app): State<App>,
    PathId(id): PathId,
    command: Command<ReturnInput>,
) -> Result<CarriedOut, ApiError> {
    let ReturnInput { return_id, location, quantity } = command.body;
    let location = parse_pieces(&location, "/quantity", quantity, 1).map_err(Rejection::invalid)?;
    let returned = Return { return_id, variant: VariantId(id), location, quantity };
    Ok(port::take_back(&app, &command.scope, command.key.as_ref(), returned).await?)
}

/// How much may be promised beyond what is there.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BackordersInput {
    /// The place at which it is promised, such as `main`.
    location: String,
    /// Pieces; 0 for none.
    limit: i64,
}

/// Allow backorders
///
/// Reservations may take so many pieces more than are there. What shoppers see of the stock does not change with it.
#[utoipa::path(
    put, path = "/v1/variants/{id}/stock/backorders", tag = "stock",
    params(("id" = schemas::Uuid, Path, description = "The variant"), TenantHeaders, VersionHeader, IdempotencyHeader),
    request_body = BackordersInput,
    responses((status = 201, description = "First stock of this variant", body = CommandAnswer), (status = 200, description = "Set, or was so before", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "quota_exceeded"])))
)]
pub(super) async fn set_backorders(
    State(app): State<App>,
    PathId(id): PathId,
    command: Command<BackordersInput>,
) -> Result<CarriedOut, ApiError> {
    let BackordersInput { location, limit } = command.body;
    let location = parse_pieces(&location, "/limit", limit, 0).map_err(Rejection::invalid)?;
    let change = StockChange::Backorders(location, limit);
    let request = StockRequest { variant: VariantRef::Id(VariantId(id)), expected: command.expected.or_any(), change };
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
