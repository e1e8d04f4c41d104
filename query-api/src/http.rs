//! The routes of all read models with their layers, and the pages.

mod operations;
mod pages;
mod passed_on;

use crate::{
    app::App,
    metrics::{Answered, Route},
    reads,
};
use access::{
    Routes, guard,
    origins::{self, Otherwise},
};
use axum::{
    Json, Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use schemas::problem::{Code, Problem};
use service::{
    http::{ProblemResponse, in_own_time},
    openapi::takes_header,
    request,
};
use std::time::{Duration, Instant};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};
use utoipa::{OpenApi, openapi::path::Operation};

/// A request that takes longer is given up. A read may wait 30 s for what its token names before it begins.
const TIMEOUT: Duration = Duration::from_secs(40);

#[derive(OpenApi)]
#[openapi(
    info(title = "souk query API", version = "1", description = "Every read of souk: search, listings, product pages, lag. The shop is that of the host or of the key; a header or ?tenant= may only agree, and is how an administrator names one. Send the souk-consistency-token of a write to read what it wrote."),
    tags((name = "search"), (name = "catalog"), (name = "merchandising"), (name = "promotions"), (name = "carts"), (name = "checkout"), (name = "orders"), (name = "payments"), (name = "settings"), (name = "insights"), (name = "access"), (name = "status"), (name = "console", description = "For administrators of the installation"))
)]
struct Api;

fn documented() -> (Router<App>, utoipa::openapi::OpenApi) {
    let start = Routes::of(Api::openapi());
    let all = reads::ALL.iter().fold(start, |router, read| router.merge((read.routes)()));
    let (router, mut api) = all.split();
    service::openapi::complete(&mut api, problems);
    (router, api)
}

/// What reads of one kind have in common: those that show a tenant's data, those with parameters or a body.
fn problems(operation: &Operation) -> Vec<Code> {
    let mut codes = vec![Code::Internal, Code::Unavailable, Code::Timeout];
    codes.extend(access::documents::problems(operation));
    if takes_header(operation, "X-Tenant-Id") {
        codes.extend([Code::TenantRequired, Code::TenantConflict, Code::TenantNotFound]);
        codes.extend([Code::TenantSuspended, Code::TooManyRequests]);
    }
    let (has_parameters, has_body) = (operation.parameters.is_some(), operation.request_body.is_some());
    codes.extend((has_parameters || has_body).then_some(Code::InvalidRequest));
    codes.extend(takes_header(operation, "souk-consistency-token").then_some(Code::Overloaded));
    codes.extend(has_body.then_some(Code::TooLarge));
    codes
}

/// The OpenAPI document as JSON text.
///
/// # Errors
/// If it can't be written as JSON, which is a defect.
pub fn openapi_json() -> serde_json::Result<String> {
    documented().1.to_pretty_json()
}

/// All routes with their layers.
pub fn router(app: App) -> Router {
    let (router, document) = documented();
    let cors = origins::layer(app.tenants.clone(), Otherwise::Everybody, [Method::GET, Method::POST]);
    router
        .merge(pages::router())
        .route("/openapi.json", get(|| async move { Json(document) }))
        .fallback(|| async {
            ProblemResponse(Problem::new(Code::NotFound).detail("there is no such path; /openapi.json lists them"))
        })
        .method_not_allowed_fallback(|| async {
            ProblemResponse(
                Problem::new(Code::MethodNotAllowed).detail("reads are GET requests, and searches POST as well"),
            )
        })
        .layer(middleware::from_fn(in_time))
        // Reads are given up after a while; what operators ask for may take long, and is added below that layer.
        .merge(operations::routes().split().0)
        .layer(middleware::from_fn(in_own_time))
        .layer(cors)
        // Commands: shown to pages of those origins alone that the shop names, as write-api does.
        .merge(passed_on::routes(app.tenants.clone()))
        .layer(middleware::from_fn_with_state(app.callers.clone(), guard::identify))
        .layer(middleware::from_fn_with_state(app.clone(), measure))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::custom(|_| ProblemResponse(Problem::new(Code::Internal)).into_response()))
        .layer(middleware::from_fn(request::accompany))
        .with_state(app)
}

/// Gives up what takes too long.
async fn in_time(request: Request, next: Next) -> Response {
    tokio::time::timeout(TIMEOUT, next.run(request)).await.unwrap_or_else(|_| {
        let detail = format!("no answer came within {} s", TIMEOUT.as_secs());
        ProblemResponse(Problem::new(Code::Timeout).detail(detail)).into_response()
    })
}

/// Counts and times each answer by its route's pattern.
async fn measure(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let began = Instant::now();
    let mut response = next.run(request).await;
    let status = response.status().as_u16();
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    app.metrics.cursor_states.set(count(app.cursors.count()));
    app.metrics.waiting.set(count(app.freshness.waiting()));
    app.metrics.seconds.get_or_create(&Route { route: route.clone() }).observe(began.elapsed().as_secs_f64());
    app.metrics.answers.get_or_create(&Answered { route, status }).inc();
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checked_in_openapi_document_is_the_present_one() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi/query-api.json");
        let now = super::openapi_json().expect("JSON") + "\n";
        if std::env::var_os("SOUK_BLESS").is_some() {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
            std::fs::write(&path, &now).expect("written");
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == now, "docs/openapi/query-api.json differs; SOUK_BLESS=1 cargo test -p query-api rewrites it");
    }
}
