//! What all routes share. Each slice has its own in `contexts/<name>/http.rs`.

pub(crate) mod answer;
pub(crate) mod bulk;
pub(crate) mod extract;
pub(crate) mod headers;
pub(crate) mod idempotency;
pub(crate) mod json;
pub(crate) mod lines;
pub(crate) mod named;
pub(crate) mod openapi;
pub(crate) mod prefer;
pub(crate) mod problem;
mod processes;

use crate::{contexts::SLICES, pipeline::App, reads::Reads};
use access::{
    Routes, guard,
    origins::{self, Otherwise},
};
use axum::{Router, http::Method, middleware, response::IntoResponse};
use tower_http::catch_panic::CatchPanicLayer;

/// The most bytes of a single command.
const MAX_BODY_BYTES: usize = 4 << 20;

/// The routes of all slices, and of processes.
fn commands() -> Routes<App> {
    SLICES.iter().fold(processes::routes(), |routes, slice| routes.merge((slice.routes)()))
}

/// The routes of the commands and of their description.
pub(crate) fn router(app: App, reads: Reads) -> Router {
    // Before the layers: what browsers ask beforehand has another method than the routes.
    let (router, _) = commands().split();
    let router = router.method_not_allowed_fallback(|| async { problem::no_method().into_response() });
    let identify = middleware::from_fn_with_state(app.callers.clone(), guard::identify);
    // Who reports what shoppers do is a page; others that a shop names may command as well.
    let methods = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
    let cors = origins::layer(app.clone(), Otherwise::Nobody, methods);
    let prefer = middleware::from_fn_with_state(reads, prefer::keep);
    router.layer(prefer).layer(cors).layer(identify).with_state(app).merge(openapi::routes())
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
