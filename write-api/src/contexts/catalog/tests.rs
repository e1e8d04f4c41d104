//! What the catalog decides.

mod categories;
pub(in crate::contexts) mod diagrams;
mod products;
