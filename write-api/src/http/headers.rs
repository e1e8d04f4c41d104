//! Headers of requests, for the OpenAPI document.

use utoipa::IntoParams;

/// Who has no key of a shop names one by one of the first two.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the OpenAPI macros only")]
pub(crate) struct TenantHeaders {
    /// The tenant by id, for administrators; with a key it may only agree
    #[param(rename = "X-Tenant-Id")]
    id: Option<schemas::Uuid>,
    /// The tenant by slug, as X-Tenant-Id; not both
    #[param(rename = "X-Tenant-Slug")]
    slug: Option<String>,
    /// Ties logs, events and traces of this request together; drawn if absent
    #[param(rename = "X-Correlation-Id")]
    correlation_id: Option<String>,
    /// `wait=5` answers once reads see the command, after five seconds at the latest and 30 at most; `wait=5; in=search` once searches do
    #[param(rename = "Prefer")]
    prefer: Option<String>,
    /// Why, for the shop's audit; at most 500 visible ASCII characters
    #[param(rename = "souk-reason")]
    reason: Option<String>,
}

/// Makes a command safe to repeat.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the OpenAPI macros only")]
pub(crate) struct IdempotencyHeader {
    /// Carried out once: the same key and request get the first answer again; another request 422
    #[param(rename = "Idempotency-Key")]
    key: Option<String>,
}

/// Which version a change was made for.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the OpenAPI macros only")]
pub(crate) struct VersionHeader {
    /// The ETag that was seen, such as "7"; * for whatever it is
    #[param(rename = "If-Match")]
    version: Option<String>,
}
