//! The tables of the catalog.

pub(super) mod categories;
pub(super) mod products;
