//! `/v1/carts` and what is below it.

mod carts;
mod coupons;
mod items;
mod merge;

use super::commands::{CartRequest, OwnCarts, Wanted};
use crate::{
    http::{
        extract::{Buying, path_id},
        problem::ApiError,
    },
    pipeline::{App, Expected, Scope, command::CarriedOut, idempotency::Key},
};
use access::{Routes, Rule};
use schemas::{Uuid, ids::LineId};
use utoipa_axum::routes;

/// The routes of this slice.
pub(super) fn routes() -> Routes<App> {
    Routes::default()
        .allow(Rule::Buyer, routes!(carts::begin))
        .allow(Rule::Buyer, routes!(carts::abandon))
        .allow(Rule::Buyer, routes!(carts::address))
        .allow(Rule::Buyer, routes!(items::add))
        .allow(Rule::Buyer, routes!(items::change, items::remove))
        .allow(Rule::Buyer, routes!(coupons::apply, coupons::remove))
        .allow(Rule::Customer, routes!(merge::merge))
}

/// Of a cart's command, all but what it wants.
struct Asked<'a> {
    buying: &'a Buying,
    scope: &'a Scope,
    expected: Expected,
    key: Option<Key>,
}

impl Asked<'_> {
    /// Does what is wanted of somebody's own cart. A version may be sent, but need not.
    async fn carry_out(self, app: &App, cart: Uuid, wanted: Wanted) -> Result<CarriedOut, ApiError> {
        let Self { buying, scope, expected, key } = self;
        let by = buying.of(scope)?;
        let request = CartRequest { cart, by, expected: expected.or_any(), wanted };
        let key = key.map(|key| key.of(&by));
        Ok(app.command::<OwnCarts>(scope, key.as_ref(), request).await?)
    }
}

/// A cart and something in it, as the path names both.
fn in_cart(cart: &str, line: &str) -> Result<(Uuid, LineId), ApiError> {
    Ok((path_id(cart)?, LineId(path_id(line)?)))
}
