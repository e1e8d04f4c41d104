//! Carts, as their owners see them: lines with what is known of the goods, codes with what came of them, and what it all costs.
//!
//! `facts` puts together what a price is made of, as the checkout does it on the write side: the same facts have the same digest.

mod answer;
mod asked;
mod facts;
mod known;
mod past;
mod tried;

use crate::{
    app::App,
    problem::Refusal,
    read_model::{Expected, Isolation, ReadModel},
    request::{ReadContext, ReadHeaders, ReadParameters, mark},
    view::View,
};
use access::{Routes, Rule};
use answer::CartAnswer;
pub(super) use answer::example_quote;
use asked::Buying;
pub(super) use asked::StoredCart;
use axum::{
    extract::{Path, State},
    response::Response,
};
pub(super) use known::Known;
pub(super) use past::PastCarts;
use schemas::Utc;
pub(super) use tried::{Draft, Tried};
use utoipa_axum::routes;

/// Carts. What is a shopper's is asked by shoppers: a test of its own has them.
pub const READ: ReadModel = ReadModel {
    routes,
    isolation: &[
        Isolation::of("/v1/carts/{id}", "/v1/carts/0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b", Expected::OfShoppers),
        Isolation::of("/v1/cart", "/v1/cart", Expected::OfShoppers),
    ],
};

fn routes() -> Routes<App> {
    Routes::default().allow(Rule::Buyer, routes!(by_id)).allow(Rule::Buyer, routes!(current))
}

/// A cart of one's own
#[utoipa::path(get, path = "/v1/carts/{id}", tag = "carts", params(("id" = String, Path, description = "The cart"), ReadHeaders, ReadParameters),
    responses((status = 200, description = "The cart with its price; the version is the ETag, too", body = CartAnswer), (status = 404, description = "No such cart of yours")))]
pub async fn by_id(
    State(app): State<App>,
    context: ReadContext,
    buying: Buying,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = id.parse().map_err(|_| Refusal::parameter("id", "a UUID is expected"))?;
    let verdict = context.wait(&app).await?;
    let cart = StoredCart::find(&app.pool, context.tenant, id).await?;
    let cart = cart.filter(|cart| buying.is(context.tenant, cart.cart.owner()));
    let cart = cart.ok_or_else(|| Refusal::not_found("you have no such cart in this shop"))?;
    Ok(mark(show(&app, &context, &cart).await?, &verdict))
}

/// The cart that one has now
///
/// Open, or held by a checkout. `POST /v1/carts` begins one.
#[utoipa::path(get, path = "/v1/cart", tag = "carts", params(ReadHeaders, ReadParameters),
    responses((status = 200, description = "The cart with its price; the version is the ETag, too", body = CartAnswer), (status = 404, description = "You have none")))]
pub async fn current(State(app): State<App>, context: ReadContext, buying: Buying) -> Result<Response, Refusal> {
    let verdict = context.wait(&app).await?;
    let cart = match buying.of(context.tenant) {
        Some(owner) => StoredCart::current(&app.pool, context.tenant, owner).await?,
        None => None,
    };
    let cart =
        cart.ok_or_else(|| Refusal::not_found("you have no cart in this shop; begin one with POST /v1/carts"))?;
    Ok(mark(show(&app, &context, &cart).await?, &verdict))
}

async fn show(app: &App, context: &ReadContext, cart: &StoredCart) -> Result<Response, Refusal> {
    let known = Known::of(app, context, cart, Utc::now()).await?;
    Ok(View::of(&CartAnswer::of(cart, &known))?.version(cart.version).response())
}
