//! What makes carts cheaper: promotions, their codes, and how often they are used.

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
pub(super) const SLICE: Slice = Slice { context: Context::Promotions, routes: http::routes };
