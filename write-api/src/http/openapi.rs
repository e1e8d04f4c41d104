//! The OpenAPI document, made from the routes themselves.

use axum::{Router, http::header, routing::get};
use schemas::problem::Code;
use service::openapi::{takes_header, takes_query};
use std::sync::LazyLock;
use utoipa::{OpenApi, openapi::path::Operation};

#[derive(OpenApi)]
#[openapi(info(
    title = "souk write-api",
    description = "Commands: tenants, catalog, prices, stock, merchandising, promotions, carts, checkouts, orders, settings, insights. The shop is that of the key; a header may only \
                   agree, and is how an administrator names one. Every answer has an ETag and a consistency token. \
                   Errors are RFC 9457 problems with a stable `code`.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Document;

static JSON: LazyLock<String> = LazyLock::new(|| {
    let mut document = Document::openapi();
    document.merge(super::commands().split().1);
    service::openapi::complete(&mut document, problems);
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
});

/// What operations of one kind have in common: those that read a tenant, a key, a body.
fn problems(operation: &Operation) -> Vec<Code> {
    let mut codes = vec![Code::InvalidRequest, Code::Internal, Code::Unavailable, Code::Overloaded];
    codes.extend(access::documents::problems(operation));
    let (has_tenant, is_stream) = (takes_header(operation, "X-Tenant-Id"), takes_query(operation, "on_error"));
    if has_tenant {
        codes.extend([Code::TenantRequired, Code::TenantConflict, Code::TenantNotFound]);
        codes.extend([Code::TenantSuspended, Code::TooManyRequests]);
    }
    // A stream answers each line with its own problem.
    if !is_stream {
        codes.extend([Code::VersionConflict, Code::IdempotencyInProgress, Code::Contended]);
        codes.extend(takes_header(operation, "Idempotency-Key").then_some(Code::IdempotencyKeyReused));
        if operation.request_body.is_some() {
            codes.extend([Code::TooLarge, Code::RequestTimeout]);
        }
    }
    codes
}

/// The document as pretty JSON.
pub(crate) fn json() -> String {
    JSON.clone()
}

/// `GET /openapi.json`.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/openapi.json", get(|| async { ([(header::CONTENT_TYPE, "application/json")], JSON.as_str()) }))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checked_in_document_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi/write-api.json");
        if std::env::var_os("SOUK_BLESS").is_some() {
            std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi")).expect("a folder");
            std::fs::write(path, super::json()).expect("written");
        }
        let checked_in = std::fs::read_to_string(path).expect("docs/openapi/write-api.json; make it with SOUK_BLESS=1");
        assert!(
            checked_in == super::json(),
            "docs/openapi/write-api.json is not what is served; SOUK_BLESS=1 rewrites it"
        );
    }
}
