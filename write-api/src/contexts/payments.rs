//! Payments: attempts to pay by a provider, transfers and cash, what goes back, and the ledger.
//!
//! A provider is asked between two transactions: before it is asked the call is written down, and after it has answered that is
//! noted, with what follows for the ledger. Where no answer comes, or the process ends on the way, [`process`] goes on from what was
//! written down. The checkout, and whoever ships, do it through [`port`].

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
pub(super) const SLICE: Slice = Slice { context: Context::Payments, routes: http::routes };
