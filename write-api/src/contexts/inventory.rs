//! Stock: what is on hand, what of it is kept for whom, and what can be sold.

mod commands;
pub(crate) mod domain;
mod http;
pub(crate) mod port;
mod table;

#[cfg(test)]
pub(super) mod tests;

use super::Slice;
use schemas::contexts::Context;

/// What the rest of write-api has to know of it.
pub(super) const SLICE: Slice = Slice { context: Context::Inventory, routes: http::routes };
