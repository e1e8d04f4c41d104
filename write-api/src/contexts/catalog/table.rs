//! The tables of the catalog.

pub(super) mod attribute_names;
pub(super) mod categories;
pub(super) mod products;
