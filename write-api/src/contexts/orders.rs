//! Orders, and what became of them.

mod commands;
mod domain;
mod http;
pub(crate) mod port;
mod table;
#[cfg(test)]
mod tests;

use super::Slice;
use schemas::contexts::Context;

/// What the rest of write-api has to know of it.
pub(super) const SLICE: Slice = Slice { context: Context::Orders, routes: http::routes };
