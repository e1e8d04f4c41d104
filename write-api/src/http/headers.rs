//! Headers and parameters, for the OpenAPI document and for answers.

use super::idempotency::REPLAYED;
use crate::app::command::Reply;
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use utoipa::IntoParams;

/// Every command names its tenant by one of these.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the OpenAPI macros only")]
pub(super) struct TenantHeaders {
    /// The tenant by id; this or X-Tenant-Slug
    #[param(rename = "X-Tenant-Id")]
    id: Option<schemas::Uuid>,
    /// The tenant by slug; this or X-Tenant-Id
    #[param(rename = "X-Tenant-Slug")]
    slug: Option<String>,
    /// Ties logs, events and traces of this request together; drawn if absent
    #[param(rename = "X-Correlation-Id")]
    correlation_id: Option<String>,
}

/// Makes a command safe to repeat.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the OpenAPI macros only")]
pub(super) struct IdempotencyHeader {
    /// Carried out once: the same key and request get the first answer again; another request 422
    #[param(rename = "Idempotency-Key")]
    key: Option<String>,
}

/// Which version a change was made for.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the OpenAPI macros only")]
pub(super) struct VersionHeader {
    /// The ETag that was seen, such as "7"; * for whatever it is
    #[param(rename = "If-Match")]
    version: Option<String>,
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.answer.status).unwrap_or(StatusCode::OK);
        let mut response = (status, Body::from(self.answer.body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in &self.answer.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
        if self.replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}
