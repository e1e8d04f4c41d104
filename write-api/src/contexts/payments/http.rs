//! `/v1/payments/{id}`, `/v1/payment-providers/{name}` and `/v1/webhooks/stripe/{account}`.

mod cash;
mod payments;
mod providers;
mod transfers;
mod webhooks;

use crate::pipeline::{App, Done, command::CarriedOut};
use access::{Permission, Routes, Rule};
use schemas::contexts::Context;
use utoipa_axum::routes;

const ENTERING: Rule = Rule::Staff(Permission::PaymentsWrite);
const APPROVING: Rule = Rule::Staff(Permission::PaymentsApprove);

/// The routes of this slice.
pub(super) fn routes() -> Routes<App> {
    Routes::default()
        .allow(Rule::Owner, routes!(providers::set))
        .allow(ENTERING, routes!(payments::create))
        .allow(ENTERING, routes!(payments::attempt))
        .allow(ENTERING, routes!(payments::capture))
        .allow(ENTERING, routes!(payments::void))
        .allow(ENTERING, routes!(payments::refund_late))
        .allow(ENTERING, routes!(transfers::enter))
        .allow(APPROVING, routes!(transfers::approve))
        .allow(ENTERING, routes!(cash::collect))
        .allow(ENTERING, routes!(cash::remit))
        .allow(Rule::Anybody, routes!(webhooks::stripe))
}

/// What was done, as every command tells it.
fn carried_out(done: Done) -> CarriedOut {
    CarriedOut { context: Context::Payments, done, replayed: false }
}
