//! `/v1/products` and `/v1/categories`.

mod categories;
mod products;

use crate::pipeline::App;
use access::{Permission, Routes, Rule};
use utoipa_axum::routes;

const STAFF: Rule = Rule::Staff(Permission::CatalogWrite);

/// The routes of this slice.
pub(super) fn routes() -> Routes<App> {
    Routes::default()
        .allow(STAFF, routes!(products::create))
        .allow(STAFF, routes!(products::bulk))
        .allow(STAFF, routes!(products::change, products::delete))
        .allow(STAFF, routes!(products::publish))
        .allow(STAFF, routes!(products::archive))
        .allow(STAFF, routes!(products::schedule))
        .allow(STAFF, routes!(categories::create))
        .allow(STAFF, routes!(categories::bulk))
        .allow(STAFF, routes!(categories::change, categories::delete))
}
