//! Carts of customers and guests: what somebody wants to buy, until a checkout makes an order of it.
//!
//! Each has an owner, who is known by a session or by a guest's token; another's cart is not there. Of a person a cart has
//! nothing but the owner's id and a place.

mod commands;
mod domain;
mod http;
pub(crate) mod port;
pub(crate) mod process;
mod table;
#[cfg(test)]
pub(super) mod tests;

use super::Slice;
use schemas::contexts::Context;

/// What the rest of write-api has to know of it.
pub(super) const SLICE: Slice = Slice { context: Context::Carts, routes: http::routes };
