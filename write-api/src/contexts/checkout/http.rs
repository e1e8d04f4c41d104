//! `/v1/checkouts` and what is below it.

mod answer;
mod input;

use self::{
    answer::{PaymentActionAnswer, StartAnswer},
    input::{PayInput, StartInput},
};
use super::{
    commands::{
        shopper::{self, Whose},
        start,
    },
    domain::Checkout,
};
use crate::{
    http::{
        answer::CommandAnswer,
        extract::{BareCommand, Buying, Command, PathId},
        headers::{IdempotencyHeader, TenantHeaders},
        prefer::{self, Kept},
        problem::ApiError,
    },
    pipeline::{App, Done, Error, Rejection, Scope, command::CarriedOut, idempotency::Key},
};
use ::access::{Caller, Routes, Rule};
use axum::{
    extract::{FromRequestParts, Query, State},
    http::{HeaderMap, request::Parts},
    response::Response,
};
use schemas::{Uuid, contexts::Context};
use std::{collections::HashMap, time::Duration};
use utoipa_axum::routes;

/// How often is looked whether the shopper has to act, while that is waited for and another node sees to the checkout.
const LOOK: Duration = Duration::from_millis(500);

/// The routes of this slice.
pub(super) fn routes() -> Routes<App> {
    Routes::default()
        .allow(Rule::Buyer, routes!(begin))
        .allow(Rule::Shopper, routes!(pay))
        .allow(Rule::Shopper, routes!(payment_action))
        .allow(Rule::Shopper, routes!(abort))
}

/// How a shopper shows that a checkout is theirs, and how long they wait.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the OpenAPI macros only")]
struct AccessParameter {
    /// The token that was given out with the checkout; needed by whoever is not known by a token of their own
    access: Option<String>,
}

/// By what somebody shows that a checkout is theirs.
pub(super) struct Shown(Option<String>, Option<Caller>);

impl FromRequestParts<App> for Shown {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        let access = Query::<HashMap<String, String>>::try_from_uri(&parts.uri).ok();
        let access = access.and_then(|Query(mut parameters)| parameters.remove("access"));
        Ok(Self(access, parts.extensions.get::<Caller>().cloned()))
    }
}

impl Shown {
    fn whose(self, scope: &Scope) -> Result<Whose, ApiError> {
        if let Some(token) = self.0 {
            return Ok(Whose::Access(token));
        }
        let buyer = self.1.as_ref().and_then(Caller::buyer).filter(|(shop, _)| *shop == scope.tenant);
        let unknown = || Rejection::not_found("sign in, or send the token of the checkout as `access`");
        Ok(Whose::Buyer(buyer.ok_or_else(unknown)?.1))
    }
}

/// Begin a checkout
///
/// The cart is priced. If it costs no more than was accepted, the price is frozen and the checkout goes on by itself; the answer says
/// where it is told how far it is; `Prefer: wait=5` waits for the next point where the shopper has to act, or for the end. If it costs more, nothing happens, and the answer names what to accept instead. The same
/// `client_request_id` again is the same checkout.
#[utoipa::path(
    post, path = "/v1/checkouts", tag = "checkout", params(TenantHeaders), request_body = StartInput,
    responses((status = 202, description = "Begun; `Location` is where query-api tells how far it is", body = StartAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "price_changed", "checkout_obstacles", "checkout_started",
        "cart_in_checkout", "cart_changed"])))
)]
pub(super) async fn begin(
    State(app): State<App>,
    headers: HeaderMap,
    buying: Buying,
    command: Command<StartInput>,
) -> Result<Response, ApiError> {
    let wait = prefer::wait(&headers)?.map_or(Duration::ZERO, |wait| wait.most);
    let scope = command.scope;
    let buyer = buying.of(&scope)?;
    let begun = start::start(&app, &scope, buyer, command.body.read()?).await?;
    let (done, checkout) = settled(&app, &scope, &begun.done, &Whose::Buyer(buyer), wait).await?;
    let mut response = StartAnswer::of(&done, &checkout, begun.access).response();
    response.extensions_mut().insert(Kept);
    Ok(response)
}

/// Waits until the shopper has to act, the checkout has ended, or the time is over.
async fn settled(
    app: &App,
    scope: &Scope,
    done: &Done,
    whose: &Whose,
    wait: Duration,
) -> Result<(Done, Checkout), Error> {
    let until = tokio::time::Instant::now() + wait;
    let watch = app.processes.watched.watch(done.id);
    loop {
        let rests = watch.rests();
        let (version, checkout) = shopper::own(app, scope, done.id, whose).await?;
        let done = Done { version, ..done.clone() };
        let now = tokio::time::Instant::now();
        if !checkout.is_under_way() || now >= until {
            return Ok((done, checkout));
        }
        // It may rest before it has begun, or go on elsewhere: time-outs are looks, too.
        let _ = tokio::time::timeout_at(until.min(now + LOOK), rests).await;
    }
}

/// Try to pay once more
///
/// After an attempt has failed, or in another way than before. It is told with the checkout how often is left.
#[utoipa::path(
    post, path = "/v1/checkouts/{id}/payment", tag = "checkout",
    params(("id" = Uuid, Path, description = "The checkout"), AccessParameter, TenantHeaders, IdempotencyHeader),
    request_body = PayInput, responses((status = 200, description = "It goes on", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "validation_failed", "checkout_not_awaiting", "payment_attempts_exhausted",
        "checkout_completed", "checkout_aborted"])))
)]
pub(super) async fn pay(
    State(app): State<App>,
    PathId(id): PathId,
    shown: Shown,
    command: Command<PayInput>,
) -> Result<CarriedOut, ApiError> {
    let whose = shown.whose(&command.scope)?;
    let key = own_key(command.key, id);
    let done = shopper::pay(&app, &command.scope, key.as_ref(), (id, &whose), command.body.payment_method).await?;
    Ok(carried_out(done))
}

/// Get what the shopper pays with
///
/// By card: the secret that the provider's own form on the shop's page takes, or the page of the provider to go to. It is given to whoever has
/// the checkout alone, and stands in no read model.
#[utoipa::path(
    post, path = "/v1/checkouts/{id}/payment/action", tag = "checkout",
    params(("id" = Uuid, Path, description = "The checkout"), AccessParameter, TenantHeaders),
    responses((status = 200, description = "What the shopper pays with", body = PaymentActionAnswer)),
    extensions(("x-problems" = json!(["not_found", "checkout_not_awaiting"])))
)]
pub(super) async fn payment_action(
    State(app): State<App>,
    PathId(id): PathId,
    shown: Shown,
    command: BareCommand,
) -> Result<Response, ApiError> {
    let whose = shown.whose(&command.scope)?;
    let action = shopper::payment_action(&app, &command.scope, id, &whose).await?;
    Ok(PaymentActionAnswer::of(action).response())
}

/// Give a checkout up
///
/// What was held for it is free again. While the outcome of a payment is unknown, it waits for that first.
#[utoipa::path(
    post, path = "/v1/checkouts/{id}/abort", tag = "checkout",
    params(("id" = Uuid, Path, description = "The checkout"), AccessParameter, TenantHeaders, IdempotencyHeader),
    responses((status = 200, description = "It ends, once it may", body = CommandAnswer)),
    extensions(("x-problems" = json!(["not_found", "checkout_completed"])))
)]
pub(super) async fn abort(
    State(app): State<App>,
    PathId(id): PathId,
    shown: Shown,
    command: BareCommand,
) -> Result<CarriedOut, ApiError> {
    let whose = shown.whose(&command.scope)?;
    let key = own_key(command.key, id);
    let done = shopper::abort(&app, &command.scope, key.as_ref(), (id, &whose)).await?;
    Ok(carried_out(done))
}

/// A key of whoever has this checkout: what another sends under it is something else.
fn own_key(key: Option<Key>, id: Uuid) -> Option<Key> {
    key.map(|key| key.of(&id))
}

fn carried_out(done: Done) -> CarriedOut {
    CarriedOut { context: Context::Checkout, done, replayed: false }
}
