//! What is in a cart.

use super::{Asked, in_cart};
use crate::{
    contexts::{
        carts::{
            commands::Wanted,
            domain::{Options, Quantity},
        },
        catalog::port::VariantRef,
    },
    http::{
        answer::CommandAnswer,
        extract::{BareCommand, Buying, Command, PathId, PathPair},
        headers::{IdempotencyHeader, TenantHeaders, VersionHeader},
        problem::ApiError,
    },
    pipeline::{App, Rejection, command::CarriedOut},
};
use axum::extract::State;
use schemas::ids::{LineId, VariantId};
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Goods to put in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ItemInput {
    /// The variant by id; this or `sku`.
    #[schema(value_type = Option<schemas::Uuid>)]
    variant_id: Option<VariantId>,
    /// The variant by SKU; this or `variant_id`.
    sku: Option<String>,
    /// Pieces, from 1 to 999.
    quantity: i64,
    /// What is wanted of them besides, such as `{"engraving": "Bon voyage"}`: at most 10, of 500 characters each and 2,000 bytes together. It stands in the
    /// shop's events in the clear.
    #[serde(default)]
    options: BTreeMap<String, String>,
}

/// Put goods into a cart
///
/// Pieces of the same variant with the same options are added up on one line. Send an Idempotency-Key, so that a repeated request
/// does not count twice. If-Match is optional.
#[utoipa::path(
    post, path = "/v1/carts/{id}/items", tag = "carts",
    params(("id" = schemas::Uuid, Path, description = "The cart"), TenantHeaders, VersionHeader, IdempotencyHeader),
    request_body = ItemInput, responses((status = 200, description = "They are in", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "cart_locked", "cart_closed", "cart_full"])))
)]
pub(in super::super) async fn add(
    State(app): State<App>,
    buying: Buying,
    PathId(id): PathId,
    command: Command<ItemInput>,
) -> Result<CarriedOut, ApiError> {
    let Command { scope, expected, key, body: ItemInput { variant_id, sku, quantity, options } } = command;
    let wanted = Wanted::Add {
        line: LineId(scope.clock.id()),
        variant: VariantRef::parse(sku, variant_id)?,
        quantity: Quantity::parse(quantity).map_err(Rejection::invalid)?,
        options: Options::parse(options).map_err(Rejection::invalid)?,
    };
    Asked { buying: &buying, scope: &scope, expected, key }.carry_out(&app, id, wanted).await
}

/// How many.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct QuantityInput {
    /// Pieces from here on, from 1 to 999.
    quantity: i64,
}

/// Change how many pieces there are
#[utoipa::path(
    put, path = "/v1/carts/{id}/items/{line}", tag = "carts",
    params(("id" = schemas::Uuid, Path, description = "The cart"), ("line" = schemas::Uuid, Path, description = "The line"),
        TenantHeaders, VersionHeader, IdempotencyHeader),
    request_body = QuantityInput, responses((status = 200, description = "So many are in", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "cart_locked", "cart_closed"])))
)]
pub(in super::super) async fn change(
    State(app): State<App>,
    buying: Buying,
    PathPair(cart, line): PathPair,
    command: Command<QuantityInput>,
) -> Result<CarriedOut, ApiError> {
    let Command { scope, expected, key, body } = command;
    let (cart, line) = in_cart(&cart, &line)?;
    let quantity = Quantity::parse(body.quantity).map_err(Rejection::invalid)?;
    let wanted = Wanted::ChangeQuantity(line, quantity);
    Asked { buying: &buying, scope: &scope, expected, key }.carry_out(&app, cart, wanted).await
}

/// Take goods out of a cart
#[utoipa::path(
    delete, path = "/v1/carts/{id}/items/{line}", tag = "carts",
    params(("id" = schemas::Uuid, Path, description = "The cart"), ("line" = schemas::Uuid, Path, description = "The line"),
        TenantHeaders, VersionHeader, IdempotencyHeader),
    responses((status = 200, description = "They are out", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "cart_locked", "cart_closed"])))
)]
pub(in super::super) async fn remove(
    State(app): State<App>,
    buying: Buying,
    PathPair(cart, line): PathPair,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    let BareCommand { scope, expected, key } = command;
    let (cart, line) = in_cart(&cart, &line)?;
    Asked { buying: &buying, scope: &scope, expected, key }.carry_out(&app, cart, Wanted::Remove(line)).await
}
