//! What shoppers do with checkouts.

mod facts;
mod pricing;
pub(super) mod shopper;
pub(super) mod start;
