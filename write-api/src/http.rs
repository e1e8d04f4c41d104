//! Commands over HTTP.

mod bulk;
mod categories;
mod extract;
mod headers;
mod idempotency;
mod insights;
mod json;
mod lines;
mod merchandising;
pub(crate) mod openapi;
mod prices;
mod problem;
mod products;
mod stock;
mod tenants;

use crate::app::App;
use axum::{Router, middleware, response::IntoResponse};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The most bytes of a single command.
const MAX_BODY_BYTES: usize = 4 << 20;

fn commands() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(tenants::open))
        .routes(routes!(products::create))
        .routes(routes!(products::bulk))
        .routes(routes!(products::change, products::delete))
        .routes(routes!(products::publish))
        .routes(routes!(products::archive))
        .routes(routes!(categories::create))
        .routes(routes!(categories::bulk))
        .routes(routes!(categories::change, categories::delete))
        .routes(routes!(prices::set, prices::remove))
        .routes(routes!(prices::bulk))
        .routes(routes!(stock::receive))
        .routes(routes!(stock::adjust))
        .routes(routes!(stock::bulk))
        .routes(routes!(merchandising::synonyms::define, merchandising::synonyms::remove))
        .routes(routes!(merchandising::rules::define, merchandising::rules::remove))
        .routes(routes!(merchandising::facets::define, merchandising::facets::remove))
        .routes(routes!(merchandising::experiments::define, merchandising::experiments::remove))
        .routes(routes!(insights::report))
}

/// The routes of the commands and of their description.
pub(crate) fn router(app: App) -> Router {
    let (router, _) = commands().split_for_parts();
    router.with_state(app).merge(openapi::routes())
}

/// What every route gets: problems for what no route answers, for panics, and with the id of the
/// request in each.
pub(crate) fn finish(router: Router) -> Router {
    router
        .fallback(|| async { problem::no_route().into_response() })
        .method_not_allowed_fallback(|| async { problem::no_method().into_response() })
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(middleware::from_fn(problem::sign))
        .layer(middleware::from_fn(service::request::accompany))
}
