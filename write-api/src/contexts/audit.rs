//! What staff and administrators did: an entry for each transaction, written in it, and chained by digests.
//!
//! Nobody sends a command here. The pipeline notes what it changes ([`crate::pipeline::audited`]), and calls
//! [`port::record`] before it commits.

mod domain;
pub(crate) mod port;
mod table;
#[cfg(test)]
mod tests;

use super::Slice;
use ::access::Routes;
use schemas::contexts::Context;

/// What the rest of write-api has to know of it.
pub(super) const SLICE: Slice = Slice { context: Context::Audit, routes: Routes::default };
