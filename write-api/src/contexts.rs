//! The slices of write-api, one per bounded context.
//!
//! A slice is a folder: `domain` (rules, pure), `table` (how a state is kept), `commands` (use cases), `http` (routes),
//! and a `port` where other contexts have to know something of it. Each layer knows those before it. No slice looks into
//! another, but through its `port`. How to add one: `docs/guides/adding-a-context.md`.

pub(crate) mod access;
pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod carts;
pub(crate) mod catalog;
pub(crate) mod checkout;
pub(crate) mod insights;
pub(crate) mod inventory;
pub(crate) mod merchandising;
pub(crate) mod orders;
pub(crate) mod payments;
pub(crate) mod pricing;
pub(crate) mod promotions;
pub(crate) mod settings;
pub(crate) mod tenants;

#[cfg(test)]
mod tests;

use crate::pipeline::{App, process::registered::Registered};
use ::access::Routes;
use schemas::contexts::Context;

/// What the rest of write-api has to know of a slice.
#[derive(Clone, Copy)]
pub(crate) struct Slice {
    /// Its context.
    pub(crate) context: Context,
    /// Its routes, with their description.
    pub(crate) routes: fn() -> Routes<App>,
}

/// Every slice, in the order of [`Context::ALL`]: one for each context, or this does not compile.
#[rustfmt::skip]
pub(crate) const SLICES: [Slice; Context::COUNT] = [
    tenants::SLICE,
    catalog::SLICE,
    pricing::SLICE,
    inventory::SLICE,
    merchandising::SLICE,
    insights::SLICE,
    access::SLICE,
    audit::SLICE,
    accounts::SLICE,
    settings::SLICE,
    carts::SLICE,
    promotions::SLICE,
    checkout::SLICE,
    orders::SLICE,
    payments::SLICE,
];

/// Every process. To add one: its line here, and its type in the layer `process` of a slice.
pub(crate) static PROCESSES: [Registered; 1] = [Registered::of::<checkout::process::CheckoutProcess>()];

const _: () = {
    let mut index = 0;
    while index < SLICES.len() {
        assert!(SLICES[index].context.index() == index, "the slices are not in the order of the contexts");
        index += 1;
    }
};
