//! The projections, a file each; which feed each stands in says [`crate::registry`].

pub mod accounts;
pub mod activity;
pub mod categories;
pub mod category_walks;
pub mod insights;
pub mod keys;
pub mod merchandising;
pub mod products;
pub mod sources;
pub mod tenants;
pub mod touched;
