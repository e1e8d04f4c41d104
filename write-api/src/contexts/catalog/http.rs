//! `/v1/products` and `/v1/categories`.

mod categories;
mod products;

use crate::pipeline::App;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this slice.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(products::create))
        .routes(routes!(products::bulk))
        .routes(routes!(products::change, products::delete))
        .routes(routes!(products::publish))
        .routes(routes!(products::archive))
        .routes(routes!(categories::create))
        .routes(routes!(categories::bulk))
        .routes(routes!(categories::change, categories::delete))
}
