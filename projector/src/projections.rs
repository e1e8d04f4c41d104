//! The projections, a file each; which feed each stands in says [`crate::registry`].

pub mod accounts;
pub mod activity;
pub mod carts;
pub mod categories;
pub mod category_walks;
pub mod checkout;
pub mod definitions;
pub mod insights;
pub mod keys;
pub mod ledger;
pub mod merchandising;
pub mod orders;
pub mod payments;
pub mod products;
pub mod promotions;
pub mod settings;
pub mod sources;
pub mod stock;
pub mod tenants;
pub mod touched;
