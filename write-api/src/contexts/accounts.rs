//! Accounts of shoppers: signing up and in, sessions, what people tell of themselves, and its erasure.
//!
//! What is personal is sealed with a key of the person before it goes anywhere ([`port::keyring`]). Passwords, codes and refresh
//! tokens stand beside the states, in no event. Several aggregates change together, so that the use cases are
//! [`procedures`](crate::pipeline::procedure).

mod commands;
mod domain;
mod http;
pub(crate) mod port;
pub(crate) mod process;
mod table;
#[cfg(test)]
mod tests;

use super::Slice;
use schemas::contexts::Context;

/// What the rest of write-api has to know of it.
pub(super) const SLICE: Slice = Slice { context: Context::Accounts, routes: http::routes };
