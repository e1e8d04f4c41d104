//! Every read model, on one screen.
//!
//! To add one: a file here with its row, query and routes, and its line in [`ALL`].

pub mod activity;
pub mod carts;
pub mod categories;
pub mod checkouts;
pub mod console;
pub mod dead_letters;
pub mod identity_providers;
pub mod index_status;
pub mod insights;
pub mod keys;
pub mod lag;
pub mod ledger;
pub mod listing;
pub mod merchandising;
pub mod orders;
pub mod origins;
pub mod payments;
pub mod price_sheets;
pub mod products;
pub mod promotions;
pub mod roles;
pub mod schedules;
pub mod search;
pub mod seen;
pub mod settings;
pub mod shop;
pub mod stock;
pub mod token_keys;
pub mod users;

use crate::read_model::ReadModel;

/// The read models.
pub const ALL: &[ReadModel] = &[
    search::READ,
    categories::READ,
    listing::READ,
    products::READ,
    stock::READ,
    price_sheets::READ,
    schedules::READ,
    merchandising::READ,
    promotions::READ,
    carts::READ,
    checkouts::READ,
    orders::READ,
    settings::READ,
    shop::READ,
    insights::READ,
    keys::READ,
    origins::READ,
    users::READ,
    roles::READ,
    token_keys::READ,
    identity_providers::READ,
    payments::READ,
    ledger::READ,
    activity::READ,
    lag::READ,
    seen::READ,
    index_status::READ,
    dead_letters::READ,
    console::pipeline::READ,
    console::generations::READ,
    console::dead_letters::READ,
    console::probes::READ,
    console::operations::READ,
    console::tenants::READ,
    console::lineage::READ,
];
