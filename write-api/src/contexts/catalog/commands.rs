//! What can be done in the catalog.

pub(super) mod categories;
pub(super) mod products;
