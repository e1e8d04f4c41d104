//! How a cart becomes an order.
//!
//! A checkout is begun by a shopper, at a price that both sides have agreed on. From there on a [`process`] does the rest: it
//! holds the cart, uses of coupons and stock, makes the order, has it paid, and lets go of everything if nothing comes of it.

mod commands;
mod domain;
mod http;
mod port;
pub(super) mod process;
mod table;
#[cfg(test)]
pub(super) mod tests;

use super::Slice;
use schemas::contexts::Context;

/// What the rest of write-api has to know of it.
pub(super) const SLICE: Slice = Slice { context: Context::Checkout, routes: http::routes };
