//! What the catalog decides.

mod categories;
mod products;
