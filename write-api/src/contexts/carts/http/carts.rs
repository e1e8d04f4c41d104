//! Beginning a cart, saying where it goes, throwing it away.

use super::Asked;
use crate::{
    contexts::carts::{
        commands::{BeginRequest, BegunCarts, Wanted},
        domain::{Destination, OpenCart},
    },
    http::{
        answer::CommandAnswer,
        extract::{BareCommand, Buying, Command, PathId},
        headers::{IdempotencyHeader, TenantHeaders, VersionHeader},
        problem::ApiError,
    },
    pipeline::{App, Rejection, command::CarriedOut},
};
use axum::extract::State;
use schemas::{money::Currency, place::Place};
use serde::Deserialize;
use utoipa::ToSchema;

/// A cart to begin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct CartInput {
    /// The currency it is paid in; it never changes.
    currency: Currency,
    /// The channel of the shop that it is of, by name.
    channel: Option<String>,
}

/// Begin a cart
///
/// Who has one already, open or held by a checkout, gets that one, whatever its currency is.
#[utoipa::path(
    post, path = "/v1/carts", tag = "carts", params(TenantHeaders, IdempotencyHeader), request_body = CartInput,
    responses((status = 201, description = "Begun", body = CommandAnswer), (status = 200, description = "There was one", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed"])))
)]
pub(in super::super) async fn begin(
    State(app): State<App>,
    buying: Buying,
    command: Command<CartInput>,
) -> Result<CarriedOut, ApiError> {
    let CartInput { currency, channel } = command.body;
    let owner = buying.of(&command.scope)?;
    let open = OpenCart::parse(owner, currency, channel.as_deref()).map_err(Rejection::invalid)?;
    let request = BeginRequest { id: command.scope.clock.id(), open };
    let key = command.key.map(|key| key.of(&owner));
    Ok(app.command::<BegunCarts>(&command.scope, key.as_ref(), request).await?)
}

/// Throw a cart away
///
/// Nothing is in it any more, and it is no longer the current one.
#[utoipa::path(
    delete, path = "/v1/carts/{id}", tag = "carts",
    params(("id" = schemas::Uuid, Path, description = "The cart"), TenantHeaders, VersionHeader, IdempotencyHeader),
    responses((status = 200, description = "It has ended, or had before", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "cart_locked", "cart_closed"])))
)]
pub(in super::super) async fn abandon(
    State(app): State<App>,
    buying: Buying,
    PathId(id): PathId,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    let BareCommand { scope, expected, key } = command;
    Asked { buying: &buying, scope: &scope, expected, key }.carry_out(&app, id, Wanted::Abandon).await
}

/// Where the goods go.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct DestinationInput {
    /// The place, as far as tax and shipping need it; none to forget it. A name or a street is none of it.
    place: Option<Place>,
    /// The way in which they go there, by name.
    shipping_method: Option<String>,
}

/// Say where the goods go
///
/// Both are replaced. Whether the shop sends there in this way is found out when the cart is priced.
#[utoipa::path(
    put, path = "/v1/carts/{id}/destination", tag = "carts",
    params(("id" = schemas::Uuid, Path, description = "The cart"), TenantHeaders, VersionHeader, IdempotencyHeader),
    request_body = DestinationInput, responses((status = 200, description = "Said", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "cart_locked", "cart_closed"])))
)]
pub(in super::super) async fn address(
    State(app): State<App>,
    buying: Buying,
    PathId(id): PathId,
    command: Command<DestinationInput>,
) -> Result<CarriedOut, ApiError> {
    let Command { scope, expected, key, body: DestinationInput { place, shipping_method } } = command;
    let destination = Destination::parse(place, shipping_method.as_deref()).map_err(Rejection::invalid)?;
    Asked { buying: &buying, scope: &scope, expected, key }.carry_out(&app, id, Wanted::Address(destination)).await
}
