//! Codes that somebody tries.

use super::Asked;
use crate::{
    contexts::carts::{commands::Wanted, domain::CouponCode},
    http::{
        answer::CommandAnswer,
        extract::{BareCommand, Buying, PathPair, path_id},
        headers::{IdempotencyHeader, TenantHeaders, VersionHeader},
        problem::ApiError,
    },
    pipeline::{App, Rejection, command::CarriedOut},
};
use axum::extract::State;

/// Try a code
///
/// It is kept in upper case, whether it is one of the shop's or not: whether it counts, and why it does not, stands with the price of
/// the cart.
#[utoipa::path(
    put, path = "/v1/carts/{id}/coupons/{code}", tag = "carts",
    params(("id" = schemas::Uuid, Path, description = "The cart"), ("code" = String, Path, description = "As it was typed"),
        TenantHeaders, VersionHeader, IdempotencyHeader),
    responses((status = 200, description = "It is tried", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "cart_locked", "cart_closed", "cart_full"])))
)]
pub(in super::super) async fn apply(
    State(app): State<App>,
    buying: Buying,
    PathPair(cart, code): PathPair,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    let BareCommand { scope, expected, key } = command;
    let code = CouponCode::parse(&code).map_err(Rejection::invalid)?;
    let wanted = Wanted::ApplyCoupon(code);
    Asked { buying: &buying, scope: &scope, expected, key }.carry_out(&app, path_id(&cart)?, wanted).await
}

/// Take a code away
#[utoipa::path(
    delete, path = "/v1/carts/{id}/coupons/{code}", tag = "carts",
    params(("id" = schemas::Uuid, Path, description = "The cart"), ("code" = String, Path, description = "As it was typed"),
        TenantHeaders, VersionHeader, IdempotencyHeader),
    responses((status = 200, description = "It is away, or was not there", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "cart_locked", "cart_closed"])))
)]
pub(in super::super) async fn remove(
    State(app): State<App>,
    buying: Buying,
    PathPair(cart, code): PathPair,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    let BareCommand { scope, expected, key } = command;
    let code = CouponCode::parse(&code).map_err(Rejection::invalid)?;
    let wanted = Wanted::RemoveCoupon(code);
    Asked { buying: &buying, scope: &scope, expected, key }.carry_out(&app, path_id(&cart)?, wanted).await
}
