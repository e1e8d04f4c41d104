//! What accompanies a request through the whole road: correlation id and W3C trace context.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue},
    middleware::Next,
    response::Response,
};
use opentelemetry::{propagation::TextMapPropagator, trace::TraceContextExt};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use std::collections::HashMap;
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Request and response header of the correlation id.
pub const CORRELATION_HEADER: &str = "x-correlation-id";

/// The ids of the request in hand; an extension of every request that went through [`accompany`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestContext {
    /// Given by the client (up to 128 visible ASCII characters) or drawn here.
    pub correlation_id: String,
    /// W3C `traceparent` of the span that handles the request, if traces are recorded or came in.
    pub traceparent: Option<String>,
}

/// The correlation id that a request brings, or one that is drawn and noted in its headers, so that it has one from here on.
pub(crate) fn identify(headers: &mut HeaderMap) -> String {
    let given = headers.get(CORRELATION_HEADER).and_then(|value| value.to_str().ok());
    if let Some(id) = given.filter(|id| !id.is_empty() && id.len() <= 128) {
        return id.to_owned();
    }
    let drawn = schemas::Uuid::now_v7().to_string();
    if let Ok(value) = HeaderValue::from_str(&drawn) {
        headers.insert(CORRELATION_HEADER, value);
    }
    drawn
}

/// Middleware (`axum::middleware::from_fn`): opens the request's span, continues the caller's trace,
/// and answers with the correlation id.
pub async fn accompany(mut request: Request, next: Next) -> Response {
    let correlation_id = identify(request.headers_mut());
    let incoming = request.headers().get("traceparent").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let span = tracing::info_span!(
        "http.request",
        http.method = %request.method(),
        http.path = request.uri().path(),
        correlation.id = %correlation_id,
        otel.kind = "server",
    );
    continue_trace(&span, incoming.as_deref());
    let traceparent = traceparent_of(&span).or(incoming);
    request.extensions_mut().insert(RequestContext { correlation_id: correlation_id.clone(), traceparent });
    let mut response = next.run(request).instrument(span).await;
    if let Ok(value) = HeaderValue::from_str(&correlation_id) {
        response.headers_mut().insert(CORRELATION_HEADER, value);
    }
    response
}

/// Makes `span` a child of the trace that `traceparent` names; nothing happens without one.
pub fn continue_trace(span: &tracing::Span, traceparent: Option<&str>) {
    if let Some(traceparent) = traceparent {
        let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
        // Fails only when no tracer listens, and then there is nothing to continue.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&carrier));
    }
}

/// The W3C `traceparent` of a span, if a tracer records it.
#[must_use]
pub fn traceparent_of(span: &tracing::Span) -> Option<String> {
    let context = span.context();
    if !context.span().span_context().is_valid() {
        return None;
    }
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&context, &mut carrier);
    carrier.remove("traceparent")
}
