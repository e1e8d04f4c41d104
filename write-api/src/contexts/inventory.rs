//! Stock: one item per variant, with the pieces on hand at each location.

mod commands;
pub(crate) mod domain;
mod http;
mod table;
#[cfg(test)]
mod tests;

use super::Slice;
use schemas::contexts::Context;

/// What the rest of write-api has to know of it.
pub(super) const SLICE: Slice = Slice { context: Context::Inventory, routes: http::routes };
